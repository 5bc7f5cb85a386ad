"""Letters that matplotlib's own font lacks (Chinese, emoji): installed fonts that have them, or a word about the boxes."""

import logging
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, FontPath, FontProperties
from matplotlib.text import Text

FAMILY = "DejaVu Sans"  # comes with matplotlib
NO_LETTERS = ("Cc", "Cf")  # Unicode's categories of characters that only say how others are drawn


def lend_letters(figure: Figure) -> str:
    """Give each text of ``figure`` the fonts that have its letters; returns what to say of letters that none has, or ""."""
    boxes: set[str] = set()
    for text in figure.findobj(Text):
        if foreign := _foreign(text.get_text()):
            families, missing = _found(foreign)
            text.set_fontfamily([FAMILY, *families])
            boxes |= missing
    if not boxes:
        return ""
    codes = ", ".join(f"U+{ord(character):04X}" for character in sorted(boxes)[:3]) + (" …" if len(boxes) > 3 else "")
    return f"Boxes stand for letters that no font of this machine has ({codes}); install a font that has them."


def _foreign(text: str) -> frozenset[str]:
    """The characters of ``text`` that ``FAMILY`` lacks."""
    if text.isascii():
        return frozenset()
    own = font_manager.get_font(font_manager.findfont(FontProperties(family=FAMILY)))
    return frozenset(c for c in text if not own.get_char_index(ord(c)) and not _is_selector(c))


def _is_selector(character: str) -> bool:
    return unicodedata.category(character) in NO_LETTERS or "\ufe00" <= character <= "\ufe0f"


@lru_cache
def _found(wanted: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Families of installed fonts, the one that has most of the ``wanted`` characters first, and what none of them has."""
    families: list[str] = []
    missing = set(wanted)
    while missing:
        best = max(_regular_fonts(), key=lambda font: (len(_in(font, missing)), "Sans" in font.name, font.name))
        if not _in(best, missing):
            break
        families.append(best.name)
        missing -= _in(best, missing)
    return tuple(families), frozenset(missing)


def _in(entry: FontEntry, characters: Iterable[str]) -> set[str]:
    font = font_manager.get_font(FontPath(entry.fname, entry.index))
    return {character for character in characters if font.get_char_index(ord(character))}


@cache
def _regular_fonts() -> list[FontEntry]:
    """Installed fonts, neither bold nor slanted; those too that came after matplotlib made its list."""
    manager = font_manager.fontManager
    known = {entry.fname for entry in manager.ttflist}
    for path in sorted(set(font_manager.findSystemFonts()) - known):
        try:
            manager.addfont(path)
        except (OSError, RuntimeError, NotImplementedError) as error:  # a broken one, or of bitmaps, which cannot be scaled
            logging.getLogger(__name__).info("%s: %s", path, error)
    return [
        entry
        for entry in manager.ttflist
        # The Last Resort font that matplotlib brings has a box for every character.
        if entry.style == "normal" and entry.weight in (400, "normal", "regular") and "Last Resort" not in entry.name
    ]
