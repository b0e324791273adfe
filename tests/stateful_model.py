"""What a reader would remember of what curators did: which words are whose, and who may read them.

Every text that is written is one word found nowhere else, so that a word tells where it came from.
A record's own words (title, summary, venue) are the public's while it is published, from its
publication on. The words of a source may be read while any record is published that ever held it,
an article's once it was public. What was never public, or was erased, is in no release either.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]
OWN = ("title", "summary", "venue")
# Signs that no rule of any language cuts off.
_LETTERS = "bcdfghjkm"
WORD = re.compile(rf"zq[{_LETTERS}]+v")


def _spelt(number: int) -> str:
    """Write a number in letters, so that it is one word."""
    letters = ""
    while number or not letters:
        number, place = divmod(number, len(_LETTERS))
        letters += _LETTERS[place]
    return letters


@dataclass
class Word:
    """A word: the records that may hold it, or the article; NOTE marks what is for editors."""

    holders: set[str] = field(default_factory=set)
    article: str | None = None
    own: bool = False
    note: bool = False
    was_public: bool = False
    erased: bool = False


@dataclass
class PublicAnswer:
    """What the public was answered at a moment; members that an erasure may have changed since."""

    moment: str
    status: int
    document: Document | None
    loose: set[str] = field(default_factory=set)


@dataclass
class Record:
    """A record as it should be."""

    id: str
    status: str
    own: dict[str, str | None]
    version: int = 1
    public_from: int | None = None
    past: list[tuple[int, dict[str, str | None]]] = field(default_factory=list)
    # Its own words that the public could read in some version.
    shown: set[str] = field(default_factory=set)
    articles: set[str] = field(default_factory=set)
    merged_into: "Record | None" = None
    corrects: "Record | None" = None
    reads: list[PublicAnswer] = field(default_factory=list)

    @property
    def standing(self) -> bool:
        """Whether it takes changes."""
        return self.status in ("draft", "published")

    def own_at(self, number: int) -> dict[str, str | None]:
        """Return its own words in a version."""
        return dict([own for version, own in self.past if version <= number][-1])


@dataclass
class Article:
    """An article: the records that may show it, and whether everybody may."""

    id: str
    holders: set[str]
    public: bool = False


class Model:
    """All records, articles and words of one sequence."""

    def __init__(self) -> None:
        self.words: dict[str, Word] = {}
        self.records: dict[str, Record] = {}
        self.articles: dict[str, Article] = {}
        self.names = 0

    def word(self, **about: Any) -> str:
        """Make a word that nobody has used."""
        word = f"zq{_spelt(len(self.words))}v"
        self.words[word] = Word(**about)
        return word

    def name(self) -> str:
        """Make a name for a community or an episode, which is no secret."""
        self.names += 1
        return f"zx{_spelt(self.names)}v"

    def add(self, document: Document, words: Iterable[str]) -> Record:
        """Remember a new record whose own WORDS and sources are what was written."""
        own = {name: document[name] for name in OWN}
        record = self.records[document["id"]] = Record(document["id"], document["status"], own)
        for word in words:
            self.words[word].holders.add(record.id)
        self.take(record, document)
        return record

    def take(self, record: Record, document: Document, own: Document | None = None) -> None:
        """Take over what a write answered; OWN are the words that it changed."""
        record.own = {**record.own, **(own or {})}
        record.version, record.status = document["version"], document["status"]
        record.past.append((record.version, dict(record.own)))
        record.articles = {source["article"]["id"] for source in document["sources"]}
        assert {name: document[name] for name in OWN} == record.own
        for id_ in record.articles:
            article = self.articles.setdefault(id_, Article(id_, {record.id}))
            assert article.public or record.id in article.holders, "a draft's article is shown"
            article.public |= record.status == "published"
            article.holders.add(record.id)
        if record.status == "published":
            record.merged_into = None
            if record.public_from is None:
                record.public_from = record.version
            record.shown |= {word for word in record.own.values() if word in self.words}
        self.settle()

    def join(self, record: Record, into: Record) -> None:
        """Remember that INTO took over the sources of RECORD."""
        record.status, record.merged_into = "merged", into
        self.spread(record, into, own=False)

    def spread(self, record: Record, into: Record, *, own: bool) -> None:
        """Remember that INTO may hold what RECORD holds; OWN words too."""
        for word in self.words.values():
            if (own or not word.own) and record.id in word.holders:
                word.holders.add(into.id)
        for article in self.articles.values():
            if record.id in article.holders:
                article.holders.add(into.id)

    def erase(self, words: Iterable[str], holder: str | None = None) -> None:
        """Remember that WORDS are gone; with HOLDER, from that record."""
        for name in words:
            word = self.words[name]
            word.holders.discard(holder or "")
            word.erased |= not word.holders or holder is None

    def corrections(self, record: Record) -> list[Record]:
        """List the drafts that correct RECORD, those taken over too."""
        return [
            one
            for one in self.records.values()
            if one.corrects is record and one.status != "erased"
        ]

    def settle(self) -> None:
        """Note which words the public can read now."""
        for name, word in self.words.items():
            word.was_public |= self._public(name, word)

    def _public(self, name: str, word: Word) -> bool:
        if word.erased or word.note:
            return False
        if word.article is not None:
            return self.articles[word.article].public
        holders = (self.records[id_] for id_ in word.holders)
        return any(
            record.status == "published" and (not word.own or name in record.shown)
            for record in holders
        )

    def hidden(self) -> set[str]:
        """List what the public may read nowhere now: words, and ids of what was never public."""
        words = {name for name, word in self.words.items() if not self._public(name, word)}
        return words | self._unknown()

    def never(self) -> set[str]:
        """List what no release may hold either."""
        words = {name for name, word in self.words.items() if word.erased or not word.was_public}
        return words | self._unknown()

    def erased(self) -> set[str]:
        """List what nobody may read."""
        return {name for name, word in self.words.items() if word.erased}

    def _unknown(self) -> set[str]:
        return {record.id for record in self.records.values() if record.public_from is None}

    def known(self) -> Iterator[Record]:
        """List the records that the public has, or had."""
        return (one for one in self.records.values() if one.public_from is not None)

    def published(self) -> set[str]:
        """List the ids of what is published."""
        return {one.id for one in self.records.values() if one.status == "published"}
