"""CSV files are read as spreadsheets save them, and what was taken for granted is noted."""

import io

import pytest
from marshmallow import ValidationError

from api.exports.formats.csv import KNOWN_COLUMNS
from api.imports import csv_reader


def read(text):
    """Return the notes of a file by their codes, and its rows."""
    sheet = csv_reader.read(io.BytesIO(text))
    return [note.code for note in sheet.notes], list(sheet.rows)


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        (b"id,city\n1,Chi\xc8\x99in\xc4\x83u\n", []),
        ("\ufeffid,city\r\n1,Chișinău\r\n".encode(), []),
        ("id;city\n1;Chișinău\n".encode(), ["separator"]),
        ("id\tcity\n1\tChișinău\n".encode(), ["separator"]),
        ("sep=;\nid;city\n1;Chișinău\n".encode(), ["separator"]),
        ("id;city\n1;Chișinău\n".encode("utf-16"), ["encoding", "separator"]),
        ("id,city\n1,Chișinău\n".encode("utf-16-le"), ["encoding"]),
        ("ID , City,,\n1,Chișinău,,\n".encode(), []),
        (",id,city\n7,1,Chișinău\n".encode(), ["unknown_column"]),
        ("id,city,Colour\n1,Chișinău,red\n".encode(), ["unknown_column"]),
    ],
)
def test_a_file_is_read_as_it_was_saved(text, notes):
    noted, (row,) = read(text)

    assert noted == notes
    assert row.cells == {"id": "1", "city": "Chișinău"}


def test_windows_1252_is_read_and_noted():
    notes, (row,) = read("id,city\n1,Köln\n".encode("cp1252"))

    assert (notes, row.cells) == (["encoding"], {"id": "1", "city": "Köln"})


RUSSIAN = "id,summary\n1,Драка на рынке\n"


@pytest.mark.parametrize(
    "text",
    [
        RUSSIAN.encode("cp1251"),
        RUSSIAN.encode("koi8-r"),
        "id,summary\n1,Συμπλοκή\n".encode("cp1253"),
        "id,summary\n1,市場での衝突\n".encode("shift-jis"),
        "id,city\n1,Düsseldorf\n".encode("mac-roman"),
        b"PK\x03\x04\x14\x00",
        b"\x1f\x8b\x08\x00",
    ],
)
def test_what_is_in_no_encoding_that_is_read_is_refused_as_a_whole(text):
    with pytest.raises(ValidationError) as error:
        csv_reader.read(io.BytesIO(text))

    assert [fault.code for fault in error.value.messages] == ["bad_encoding"]


@pytest.mark.parametrize(
    "text", ["“Prügelei” – à côté… l’été, ça €5", "Ærø, Æsop, ŠKODA", "«Où?» §5"]
)
def test_windows_1252_is_taken_for_nothing_else(text):
    _, (row,) = read(f'id,summary\n1,"{text}"\n'.encode("cp1252"))

    assert row.cells["summary"] == text


def test_a_file_in_utf_8_but_for_a_byte_is_no_other_encoding():
    notes, rows = read(RUSSIAN.encode() + b"2,\xff\n")

    assert notes == []
    assert [[fault.code for fault in row.messages.get("_schema", ())] for row in rows] == [
        [],
        ["bad_encoding"],
    ]


def test_an_unused_column_is_noted_with_the_one_that_was_meant():
    (note,) = csv_reader.read(io.BytesIO(b"id,titel\n1,a\n")).notes

    assert (note.code, note.help) == ("unknown_column", {"suggestion": "title"})


@pytest.mark.parametrize("name", ["Source", "sources", "Source URLs"])
def test_other_names_of_a_column_are_known(name):
    assert read(f"id,{name}\n1,https://a.example\n".encode())[0] == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "no_header"),
        (b"a|b|c\n1|2|3\n", "unknown_column"),
        (b"id,title,title\r\n", "repeated"),
        (b"id,Title,title\r\n", "repeated"),
        (b'"id', "bad_csv"),
        (",".join(sorted(KNOWN_COLUMNS) * 3).encode(), "one_line"),
        (b"id," + b"x," * 20_000 + b"y\n1,2\n", "too_many"),
    ],
)
def test_a_header_that_cannot_be_used_says_why(text, code):
    with pytest.raises(ValidationError) as error:
        csv_reader.read(io.BytesIO(text))

    assert [fault.code for fault in error.value.messages] == [code]


def test_a_row_knows_its_line():
    """Blank rows are passed over, and cells may hold line breaks."""
    _, rows = read(b'id,summary\r\na,"one\r\ntwo"\r\n\r\n,\r\nb,three\r\n')

    assert [(row.line, row.cells) for row in rows] == [
        (2, {"id": "a", "summary": "one\r\ntwo"}),
        (6, {"id": "b", "summary": "three"}),
    ]


def test_a_row_of_another_length_is_told_and_the_rest_is_read():
    _, (first, second, third) = read(b"id,title\na,b,c\nd,e\nf\n")

    assert (first.line, second.line, third.line) == (2, 3, 4)
    assert second.cells == {"id": "d", "title": "e"}
    codes = [fault.code for row in (first, third) for fault in row.messages["_schema"]]
    assert codes == ["bad_row", "bad_row"]


def test_quotes_that_never_close_end_the_file():
    _, (first, last) = read(b'id\na\n"b\nc\n')

    assert first.cells == {"id": "a"}
    assert (last.line, last.messages["_schema"][0].code) == (3, "bad_csv")


def test_a_row_that_is_not_utf8_beyond_the_beginning_is_told():
    long = b"id\n" + b"a\n" * 40_000
    _, rows = read(long + b"\xe9t\xe9\nb\n")

    assert rows[-2].messages["_schema"][0].code == "bad_encoding"
    assert rows[-1].cells == {"id": "b"}


def test_the_body_stays_open_for_whoever_gave_it():
    file = io.BytesIO(b"id\na\n")
    list(csv_reader.read(file).rows)

    assert file.closed is False
