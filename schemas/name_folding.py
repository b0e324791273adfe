"""Folding: the one form in which names are compared, searched and used as keys.

`Chişinău`, `CHISINAU` and `chisinau` fold to the same text; so do `Den Haag` and `den-haag`.
Only spelling is levelled, nothing is translated or transliterated: `Кишинёв` stays Cyrillic.
"""

import re
import unicodedata
from functools import lru_cache

# Letters that Unicode does not decompose, as they are commonly written without their marks.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ı": "i",
        "ə": "e",
        "ǝ": "e",
        "ħ": "h",
        "ŋ": "n",
        "ŧ": "t",
        "ƶ": "z",
        "ɓ": "b",
        "ɗ": "d",
        "ƙ": "k",
        "ƴ": "y",
        # Arabic script: letters that differ by keyboard (Persian, Urdu) or by habit only
        "ی": "ي",
        "ى": "ي",
        "ک": "ك",
        "ہ": "ه",
        "ھ": "ه",
        "ة": "ه",
        "ـ": "",
    }
)
# Signs that stand for an apostrophe in some spelling or transliteration. They go before NFKD,
# which would turn some into a space and a mark, and after it, which brings others forth.
_APOSTROPHES = dict.fromkeys(map(ord, "'`´‘’‚‛′ʹʺʻʼʽʾʿˈˊˋ՚׳＇"))
_INITIAL = re.compile(r"\b(\w)\.(?=\w\.|\w\b|\W|$)")


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Fold TEXT to the form in which names are compared.

    Marks of Latin, Greek, Cyrillic, Hebrew and Arabic letters go (the vowel signs of Indic
    scripts and the voicing marks of Japanese kana are letters in all but name and stay), case
    goes, special letters become plain ones, apostrophes and invisible characters vanish, all
    else that is neither letter nor digit becomes one space. Folding twice changes nothing.
    Text without a letter or digit folds to the empty string.
    """
    if text.isascii() and text.isalnum():
        return text.lower()
    text = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold()
    text = unicodedata.normalize("NFKD", text).translate(_LETTERS)
    text = text.translate(_APOSTROPHES)
    text = "".join(c for c in text if not _vanishes(c))
    text = unicodedata.normalize("NFC", _INITIAL.sub(r"\1", text))
    return _spaced(text)


def _vanishes(character: str) -> bool:
    if character.isascii():
        return False
    mark = unicodedata.combining(character)
    # 7 nukta, 8 kana voicing, 9 virama, 84 to 132 vowels and tones of South and East Asia
    return mark == 1 or 10 <= mark <= 36 or mark >= 200 or unicodedata.category(character) == "Cf"


def _spaced(text: str) -> str:
    characters = (c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in text)
    return " ".join("".join(characters).split())
