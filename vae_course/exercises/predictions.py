"""Questions that a lesson asks before it computes the answer: what a reader may guess, what comes out, and why."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """What a reader is asked to predict under the permanent ``name``.

    ``answer`` is the one of ``choices`` that the course found, and ``because`` its reason, a sentence that follows "because".
    ``wrong`` says of each other choice why one may think so, and what is the catch.
    ``otherwise`` is the reason where another one comes out, as it may on a text of the reader's; empty where none is known.
    """

    name: str
    choices: tuple[str, ...]
    answer: str
    because: str
    wrong: Mapping[str, str]
    otherwise: str = ""

    def __post_init__(self) -> None:
        if self.answer not in self.choices or len(set(map(_plain, self.choices))) < max(2, len(self.choices)):
            raise ValueError(
                f"{self.name}: expected two or more different choices, the answer among them, "
                f"got {self.choices} and {self.answer!r}"
            )
        if set(self.wrong) != set(self.choices) - {self.answer}:
            raise ValueError(f"{self.name}: expected a text for each choice but the answer, got them for {tuple(self.wrong)}")

    def choice(self, said: object) -> str | None:
        """The choice that a reader means: blanks, capitals and a per cent sign make no difference. None for none of them."""
        return next((choice for choice in self.choices if _plain(choice) == _plain(said)), None)

    def outcome(self, value: str | float) -> str:
        """The choice that a computed value comes to: itself, "yes" or "no" for a truth value, for a number the nearest one.

        A number is compared with choices that are numbers, and a share of one with choices in per cent. Raises ``ValueError``
        for a value that is no choice.
        """
        if isinstance(value, bool):
            value = "yes" if value else "no"
        if isinstance(value, str):
            chosen = self.choice(value)
        else:
            chosen = min(self.choices, key=lambda choice: abs(_number(choice) - value))
        if chosen is None:
            raise ValueError(f"{self.name}: expected one of {self.listed(', ')}, got {value!r}")
        return chosen

    def told(self, outcome: str) -> str:
        """What came out and why; where nothing is known of that, what the course found instead."""
        if outcome == self.answer:
            return f'"{outcome}", because {self.because}'
        if self.otherwise:
            return f'"{outcome}", because {self.otherwise}'
        return f'"{outcome}" here. The course found "{self.answer}", because {self.because}'

    def verdict(self, guess: str | float, outcome: str) -> str:
        """What is said of a guess once the outcome is known.

        The catch in a wrong one is told only where the course found the same: elsewhere the guess may have been a good one.
        """
        chosen = self.choice(guess)
        if chosen == outcome:
            return f"As you guessed: {self.told(outcome)}"
        told = f'You guessed "{guess}". It is {self.told(outcome)}'
        return f'{told} Why not "{chosen}"? {self.wrong[chosen]}' if chosen and outcome == self.answer else told

    def listed(self, between: str = " or ") -> str:
        """The choices, as they would be typed."""
        *before, last = (f'"{choice}"' for choice in self.choices)
        return f"{', '.join(before)}{between}{last}"


def _plain(said: object) -> str:
    return "".join(str(said).lower().split()).removesuffix("%")


def _number(choice: str) -> float:
    plain = _plain(choice)
    return float(plain) / 100 if choice.rstrip().endswith("%") else float(plain)
