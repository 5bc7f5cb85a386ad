"""Tasks in words: what a reader is asked to explain in two sentences, a model answer, and what a good one holds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """A task in words under the permanent ``name``; a person judges the answer.

    ``question`` is what the lesson asks, ``model`` an answer as a good reader would write it, and ``rubric`` what an answer
    should hold, a point each.
    """

    name: str
    question: str
    model: str
    rubric: tuple[str, ...]

    def __post_init__(self) -> None:
        if not (self.name.isidentifier() and self.question and self.model and len(self.rubric) >= 2):
            raise ValueError(f"{self.name}: expected a question, a model answer and a rubric of two points or more")


def cell(explanation: Explanation) -> str:
    """The Markdown of the task's cell in its lesson: the question, and folded below it the model answer and the rubric."""
    points = "\n".join(f"- {point}" for point in explanation.rubric)
    return f"""**In your own words.** {explanation.question} Take two sentences, and only then unfold ours.

<details><summary>An answer, and what a good one holds</summary>

{explanation.model}

A good answer says that

{points}

</details>"""
