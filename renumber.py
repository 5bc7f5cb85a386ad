"""Give the lessons the numbers of the second edition: files, exercises, cross-references, stored seeds, claims. Run once."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent
NAMES = {
    "05_vae_and_gan": "06",
    "06_text_vae": "07",
    "07_posterior_collapse": "08",
    "08_preventing_collapse": "09",
    "09_latent_space": "10",
    "10_generation": "11",
    "11_summarization": "12",
    "12_translation": "13",
    "13_correction": "15",
    "14_article_audit": "17",
}
NEW = {f"{n:02}": f"{n:02}" for n in range(5)} | {name[:2]: new for name, new in NAMES.items()}
STEM = re.compile("|".join(NAMES))
NUMBER = r"(?:0\d|1[0-4])"
# "lesson 06", "lessons 03 (gradients) and 04 (the ELBO)", "lessons 06 to 09", "lessons 02, 03 and 07", "lessons 01-05"
PHRASE = re.compile(rf"\b[Ll]essons? {NUMBER}\b(?: \([^)]*\))?(?:(?:, and |, | and | or | to |–|-){NUMBER}\b(?: \([^)]*\))?)*")
EXERCISES = re.compile(r"\b[Ee]xercises? \d+\.\d\b(?:(?:, | and | to )\d+\.\d\b)*")
LINK = re.compile(rf"\[({NUMBER})\](?=\((?:\.\./)?(?:notebooks/)?\d\d_)")
HEADER = re.compile(rf"^# ({NUMBER}) · ", re.MULTILINE)
SUITES = (".md", ".py", ".pyi", ".json", ".ipynb", ".toml")


def phrase(match: re.Match[str]) -> str:
    """The numbers outside parentheses in a phrase about lessons."""
    pieces = re.split(r"(\([^)]*\))", match[0])
    return "".join(p if p.startswith("(") else re.sub(rf"\b{NUMBER}\b", lambda m: NEW[m[0]], p) for p in pieces)


def exercise(match: re.Match[str]) -> str:
    """Exercise numbers, counted within their lesson."""
    return re.sub(r"(\d+)\.(\d)", lambda m: f"{int(NEW[f'{int(m[1]):02}'])}.{m[2]}", match[0])


def renumbered(text: str) -> str:
    """A text in which every number of a lesson is the new one."""
    text = LINK.sub(lambda m: f"[{NEW[m[1]]}]", text)
    text = STEM.sub(lambda m: f"{NAMES[m[0]]}{m[0][2:]}", text)
    text = HEADER.sub(lambda m: f"# {NEW[m[1]]} · ", text)
    text = PHRASE.sub(phrase, text)
    return EXERCISES.sub(exercise, text)


def strings(value: object) -> object:
    """The same for every text in a JSON document; pictures are left alone."""
    if isinstance(value, dict):
        return {k: v if k == "image/png" else strings(v) for k, v in value.items()}
    if isinstance(value, list):
        return [strings(v) for v in value]
    return renumbered(value) if isinstance(value, str) else value


def main() -> None:
    dry = "--dry" in sys.argv
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    for name in files:
        path = ROOT / name
        if path.suffix not in SUITES or name == "renumber.py":
            continue
        before = path.read_text(encoding="utf-8")
        if path.suffix in (".json", ".ipynb"):
            document = json.loads(before)
            after = (
                json.dumps(strings(document), indent=1, ensure_ascii=name.startswith("data/results/") and "seeds" not in name)
                + "\n"
            )
            if strings(document) == document:
                after = before
        else:
            after = renumbered(before)
        if after != before:
            if dry:
                for a, b in zip(before.splitlines(), after.splitlines(), strict=False):
                    if a != b:
                        print(f"{name}\n  - {a.strip()[:240]}\n  + {b.strip()[:240]}")
            else:
                path.write_text(after, encoding="utf-8")
    if dry:
        return
    # From the last to the first, so that no file takes the place of another.
    for name in sorted((n for n in files if STEM.search(n) or re.search(r"exercises/lesson_\d\d", n)), reverse=True):
        new = STEM.sub(lambda m: f"{NAMES[m[0]]}{m[0][2:]}", name)
        new = re.sub(r"lesson_(\d\d)", lambda m: f"lesson_{NEW[m[1]]}", new)
        if new != name:
            subprocess.run(["git", "mv", name, new], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
