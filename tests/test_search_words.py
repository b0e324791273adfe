"""Words of texts and of queries: what they are cut into, and how a query is read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.search import ast, name_resolution
from api.search.ast import And, Or, Term
from api.search.parser import GrammarError, parse
from api.search.tokenizer import spans, tokenize, words


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Protesters protested", ["protest", "protest"]),
        ("Armenia's ‘march’", ["armenia", "march"]),
        ("CHIŞINĂU Chişinău", ["chisinau", "chisinau"]),
        ("cafés cafe\u0301s", ["cafe", "cafe"]),
        ("the U.S. and Washington, D.C.", ["the", "us", "and", "washington", "dc"]),
        ("1,500 of 12,000 at 3.5", ["1500", "of", "12000", "at", "3", "5"]),
        ("2020-07-24", ["2020", "07", "24"]),
        ("московский Московская", ["московск", "московск"]),
        ("Հայկական հայկականի", ["հայկ", "հայկ"]),
        ("counter-protest/rally", ["counter", "protest", "ralli"]),
        ("東京 embassy", ["東", "京", "embassi"]),
        ("snake_case __init__", ["snake", "case", "init"]),
        ("re\u00adsist", ["resist"]),
        ("हिन्दी", ["हिन्दी"]),
        ("!!! … —", []),
        ("x" * 200, ["x" * 64]),
    ],
)
def test_a_text_is_cut_folded_and_stemmed(text, tokens):
    assert list(tokenize(text)) == tokens


@given(st.text())
def test_every_token_of_any_text_is_plain_and_stands_where_it_says(text):
    found = list(words(text))
    assert tuple(token for word in found for token in word.tokens) == tokenize(text)
    for word in found:
        assert text[word.start : word.end].strip() == text[word.start : word.end] != ""
        assert all(re.fullmatch(r"[^\s'\"_\\\x00-\x1f]{1,64}", token) for token in word.tokens)


@given(st.text(), st.integers(0, 20))
def test_a_token_is_found_at_each_of_its_words_and_nowhere_else(text, number):
    found = list(words(text))
    wanted = set(found[number % len(found)].tokens) if found else {"red"}
    places = [(word.start, word.end) for word in found if wanted & set(word.tokens)]
    assert spans(text, wanted) == places


@given(st.text(), st.text())
def test_a_text_has_the_tokens_of_both_halves_wherever_it_is_cut_at_a_blank(first, second):
    assert tokenize(f"{first} \n {second}") == tokenize(first) + tokenize(second)


def word(text):
    return Term(tokenize(text))


@pytest.mark.parametrize(
    ("query", "node"),
    [
        ("embassy", word("embassy")),
        ("embassy protest", And((word("embassy"), word("protest")))),
        ('"tear gas"', word("tear gas")),
        ("“tear gas” «of»", And((word("tear gas"), word("of")))),
        ("a -b", And((word("a"),), (word("b"),))),
        ("-b a", And((word("a"),), (word("b"),))),
        ('a -"b c"', And((word("a"),), (word("b c"),))),
        ("a -(b OR c)", And((word("a"),), (Or((word("b"), word("c"))),))),
        ("a -b-c", And((word("a"),), (And((word("b"), word("c"))),))),
        ("a b OR c", Or((And((word("a"), word("b"))), word("c")))),
        ("(a OR b) c", And((Or((word("a"), word("b"))), word("c")))),
        ("a or b", And((word("a"), word("or"), word("b")))),
        ("counter-protest", And((word("counter"), word("protest")))),
        ("2020-07-24", word("2020 07 24")),
        ("azerb*", Or((word("azerb"), Term(("azerb",), prefix=True)))),
        ("arrive*", Or((word("arrive"), Term(("arrive",), prefix=True)))),
        ("東京*", word("東京")),
        ("a & b | !c:d", And(tuple(map(word, "abcd")))),
        ("- a", word("a")),
        ("a -- b", And((word("a"), word("b")))),
        ("NEAR(a b)", And((word("NEAR"), And((word("a"), word("b")))))),
        ("a NOT b AND c", And(tuple(map(word, ("a", "not", "b", "and", "c"))))),
    ],
)
def test_a_query_is_read(query, node):
    assert parse(query) == node


@pytest.mark.parametrize(
    ("query", "offset", "says"),
    [
        ('Moscow "clash', 7, "not closed"),
        ("(a b", 0, "not closed"),
        ("a b)", 3, "closes nothing"),
        ("a ()", 3, "nothing between"),
        ("OR a", 0, "one is missing"),
        ("a OR", 3, "one is missing"),
        ("a OR OR b", 5, "one is missing"),
        ("-a", 0, "exclusion"),
        ("a OR -b", 5, "exclusion"),
        ("a *b", 2, "star"),
        ("a*b", 1, "star"),
        ("*", 0, "star"),
        ('"a b*"', 4, "in full"),
        ("az*", 0, "3 letters"),
        ("!!!", 0, "no word"),
        ('"…"', 0, "no word"),
        ("((((((((((a))))))))))", 8, "parentheses within"),
        (" ".join("abcdefghij" * 4), 64, "at most 32"),
    ],
)
def test_a_query_that_cannot_be_read_shows_where(query, offset, says):
    with pytest.raises(GrammarError, match=says) as caught:
        parse(query)
    assert caught.value.offset == offset
    line, caret = caught.value.shown.split("\n")
    place = caret.index("^")
    assert line[place : place + 1] == query[offset : offset + 1]


@given(st.text(alphabet="ab*\"()- OR«»\u0301'\\:|&!^~,.\t", max_size=60) | st.text(max_size=60))
def test_any_text_is_read_or_refused(query):
    try:
        read = list(ast.terms(parse(query)))
    except GrammarError as error:
        read = query[error.offset :] or ["nothing"]
    assert read


def names():
    terms = [
        ("_carmenian", "Armenian", ["Armenians", "Армяне", "Armenian diaspora"]),
        ("_ewar", "Autumn 2020 war", ["Second Karabakh War"]),
        ("_csouth", "South Sudanese", ["South Sudanese people"]),
        ("_csudanese", "Sudanese", ["Sudanese people"]),
    ]
    return name_resolution.index_names(terms)


PLACES = {
    "Kishinev": ["_p618426"],
    "Den Haag": ["_p2747373"],
    "New York": ["_p1"],
    "York": ["_p2"],
    "Of": ["_p3"],
}


def resolved(query):
    return name_resolution.resolve_names(
        parse(query),
        names(),
        lambda asked: {name: PLACES[name] for name in asked if name in PLACES},
    )


def either(node, *ids):
    return Or((node, *(Term((id_,)) for id_ in ids)))


@pytest.mark.parametrize(
    ("query", "node"),
    [
        ("Kishinev", either(word("Kishinev"), "_p618426")),
        ("Den Haag", either(And((word("Den"), word("Haag"))), "_p2747373")),
        ('"Den Haag"', either(word("Den Haag"), "_p2747373")),
        ("New York", either(And((word("New"), word("York"))), "_p1")),
        ("York march", And((either(word("York"), "_p2"), word("march")))),
        ("a -York", And((word("a"),), (either(word("York"), "_p2"),))),
        ("armenians", either(word("Armenian"), "_carmenian")),
        ("Армяне", either(word("Армяне"), "_carmenian")),
        ("diaspora", word("diaspora")),
        ("war", word("war")),
        ("south", word("south")),
        ("sudanese", either(word("sudanese"), "_csudanese")),
        ("sudanese people", either(And((word("sudanese"), word("people"))), "_csudanese")),
        ("south sudanese", either(And((word("south"), word("sudanese"))), "_csouth")),
        ("karabakh", word("karabakh")),
        ("karabakh war", either(And((word("karabakh"), word("war"))), "_ewar")),
        ("armen*", Or((word("armen"), either(Term(("armen",), prefix=True), "_carmenian")))),
        ("Россия", either(word("Россия"), "_kru")),
        ("US march", And((either(word("US"), "_kus"), word("march")))),
        ("us march", And((word("us"), word("march")))),
        ("MARCH IN US", And((word("march"), word("us")))),
    ],
)
def test_words_stand_for_what_they_name_and_for_themselves(query, node):
    assert resolved(query).node == node


def test_common_words_are_left_out_and_said_to_be():
    named = resolved("the march of York")
    assert (named.node, named.ignored) == (resolved("march York").node, ("the", "of"))
    assert resolved('"the" march').ignored == ()
    for query in ('the "the" march', '"the" the march'):
        assert resolved(query).node == resolved('"the" march').node
    assert resolved('the "the"').node == word("the")
    assert resolved("of the").node == And((word("of"), word("the")))
