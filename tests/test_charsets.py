"""A connection speaks the character sets that are safe, exactly as the server has them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import forksafe

Connect = Callable[..., forksafe.Connection]

SINGLE_BYTE = (
    *("cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "dec8", "geostd8"),
    *("greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5"),
    *("latin7", "macce", "macroman", "tis620"),
)
DOUBLE_BYTE = ("euckr", "gb2312")
CHARSETS = ("utf8mb4", "utf8mb3", "ascii", *SINGLE_BYTE, *DOUBLE_BYTE)
UNSAFE = ("gbk", "gb18030", "big5", "sjis", "cp932", "swe7", "armscii8", "ujis", "eucjpms")
NOT_OF_CLIENTS = ("ucs2", "utf16", "utf16le", "utf32")
STEP = 400  # questions in one statement


def characters(connect: Connect, charset: str) -> dict[bytes, str]:
    """What the server has in a character set, told by HEX() in another."""
    highest = range(0x80, 0x100)
    single = [bytes([byte]) for byte in range(0x100)]
    double = [bytes([lead, tail]) for lead in highest for tail in range(0x20, 0x100)]
    codes = double if charset in DOUBLE_BYTE else single
    cursor = connect().cursor()
    found = {}
    for start in range(0, len(codes), STEP):
        some = codes[start : start + STEP]
        asked = (f"CONVERT(X'{code.hex()}' USING {charset})" for code in some)
        both = [f"HEX({it}), HEX(CONVERT({it} USING utf32))" for it in asked]
        cursor.execute("SELECT " + ", ".join(both))
        row = cursor.fetchone()
        assert row is not None
        for code, kept, number in zip(some, row[::2], row[1::2], strict=True):
            # What it does not know it makes "?", or U+FFFD; and two bytes may be two characters.
            is_one = number is not None and len(number) == 8
            if is_one and kept == code.hex().upper() and number not in ("0000FFFD", "00000000"):
                found[code] = chr(int(number, 16))
    known = {code: text for code, text in found.items() if text != "?" or code == b"?"}
    # NUL is one in each of them, and stands for nothing else.
    return known if charset in DOUBLE_BYTE else {**known, b"\0": "\0"}


@pytest.mark.parametrize("charset", ["ascii", *SINGLE_BYTE, *DOUBLE_BYTE])
def test_every_character_is_the_servers_both_ways(connect: Connect, charset: str) -> None:
    known = characters(connect, charset)
    assert len(known) >= 128
    # Two bytes for one character: then the server answers with one of them.
    text = "".join(dict.fromkeys(known.values()))
    cursor = connect(charset=charset).cursor()
    cursor.execute("SELECT %s, HEX(CONVERT(%s USING utf8mb4)), HEX(%s)", (text, text, text))
    row = cursor.fetchone()
    assert row is not None
    back, by_server, raw = row
    assert back == text
    assert bytes.fromhex(by_server).decode() == text
    by_text = {text: code for code, text in known.items()}
    assert bytes.fromhex(raw) == b"".join(by_text[one] for one in text)


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("prepared", [False, True])
def test_columns_of_any_character_set_are_converted_by_the_server(
    connect: Connect, charset: str, prepared: bool
) -> None:
    word = {"cp1251": "Жук", "greek": "ωμέγα", "euckr": "한국", "gb2312": "中国"}.get(
        charset, "abc"
    )
    connection = connect(charset=charset)
    assert connection.character_set_name() in (charset, "utf8")
    cursor = connection.cursor(prepared=prepared)
    cursor.execute("CREATE TEMPORARY TABLE t (w VARCHAR(9) CHARACTER SET utf16)")
    cursor.execute("INSERT INTO t VALUES (%s)", (word,))
    cursor.execute("SELECT w, HEX(w) FROM t WHERE w = %s", (word,))
    row = cursor.fetchone()
    assert row is not None
    assert (row[0], bytes.fromhex(row[1]).decode("utf-16-be")) == (word, word)


@pytest.mark.parametrize("charset", ["latin2", "cp1251", "koi8r", "tis620", "euckr", "gb2312"])
def test_statements_and_names_of_columns_are_in_it_too(connect: Connect, charset: str) -> None:
    word = {"latin2": "žluť", "tis620": "กข", "euckr": "한국", "gb2312": "中国"}.get(charset, "Жук")
    cursor = connect(charset=charset).cursor(forksafe.cursors.DictCursor)
    cursor.execute(f"SELECT '{word}' AS `{word}`, %(p)s AS p", {"p": word})
    assert cursor.fetchone() == {word: word, "p": word}
    assert cursor.description is not None
    assert cursor.description[0][0] == word
    assert cursor.mogrify("SELECT %s", (word,)) == f"SELECT '{word}'"


@pytest.mark.parametrize(
    ("charset", "word", "at"),
    [("latin2", "až水", 2), ("utf8mb3", "水🐬", 1), ("ascii", "é", 0), ("euckr", "a🐬", 1)],
)
def test_a_character_that_it_lacks_is_refused_before_anything_is_sent(
    connect: Connect, charset: str, word: str, at: int
) -> None:
    connection = connect(charset=charset)
    with pytest.raises(UnicodeEncodeError) as refused:
        connection.cursor().execute("SELECT %s", (word,))
    assert refused.value.start == at
    assert connection.literal("a") == b"'a'"


def test_a_byte_that_is_no_character_is_told(connect: Connect) -> None:
    cursor = connect(charset="greek").cursor()
    cursor.execute("SELECT CONVERT(X'61FF' USING greek)")
    with pytest.raises(UnicodeDecodeError, match="'greek' codec can't decode byte 0xff") as told:
        cursor.fetchone()
    assert (told.value.start, told.value.end) == (1, 2)


@pytest.mark.parametrize("charset", [*UNSAFE, *NOT_OF_CLIENTS, "latin-1", "binary"])
def test_what_is_not_safe_or_not_known_is_refused_with_the_reason(
    connect: Connect, charset: str
) -> None:
    reasons = {
        **dict.fromkeys(UNSAFE, "could end its own quotes"),
        **dict.fromkeys(NOT_OF_CLIENTS, "none that the server takes from a client"),
    }
    reason = reasons.get(charset, "is not supported")
    with pytest.raises(forksafe.ProgrammingError, match=f"{reason}.*Use utf8mb4"):
        connect(charset=charset)
