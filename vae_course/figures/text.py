"""Pictures of lesson 07: sentences in a batch, what words cost, copies of sentences, and bounds beside the truth."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from vae_course.figures.base import (
    BLUE,
    INK,
    LINES,
    MARKERS,
    ORANGE,
    PALETTE,
    RED,
    SKY,
    Picture,
    array,
    new_figure,
    styled,
)
from vae_course.probability.estimators import Estimate
from vae_course.text.corpora import Corpus
from vae_course.text.vocabulary import BOS, EOS, PAD, Vocabulary
from vae_course.training import History
from vae_course.world.grammar import Tokens

FILLS = {PAD: "#d9d9d9", BOS: SKY, EOS: ORANGE}


def _short(word: str, most: int = 11) -> str:
    return word if len(word) <= most else word[: most - 1] + "…"


# --- sentences as numbers ---------------------------------------------------------------------------------------------


@styled
def batch(tokens: Tensor, vocabulary: Vocabulary, columns: int = 16) -> Picture:
    """A batch (rows, time) as a grid with a word in each cell; at most ``columns`` of them."""
    rows = tokens[:, :columns].tolist()
    width = len(rows[0])
    figure, (axes,) = new_figure(width=max(6.5, 0.78 * width), height=0.5 * len(rows) + 1.0)
    for y, row in enumerate(rows):
        for x, number in enumerate(row):
            corners = [x, x + 1, x + 1, x], [y, y, y + 1, y + 1]
            axes.fill(*corners, facecolor=FILLS.get(number, "white"), edgecolor=INK, linestyle="-", linewidth=0.6)
            axes.text(x + 0.5, y + 0.5, _short(vocabulary.words[number]), fontsize=7.5, ha="center", va="center")
    axes.set(xlim=(0, width), ylim=(len(rows), 0), xlabel="place in the sentence (tokens)", ylabel="sentence of the batch")
    axes.set_xticks([x + 0.5 for x in range(width)], [str(x) for x in range(width)])
    axes.set_yticks([y + 0.5 for y in range(len(rows))], [str(y) for y in range(len(rows))])
    axes.set_title("One rectangle: short sentences are filled up with <pad>")
    words = "Each row of the batch begins with <bos> and ends with <eos>; the shorter rows are filled up with <pad> behind."
    return Picture(figure, words)


@styled
def costs(tokens: Tensor, nats: Tensor, vocabulary: Vocabulary, most: int = 16) -> Picture:
    """What each word of ``tokens`` (time,) costs, ``nats`` (time - 1,), above the word that the decoder was shown before it."""
    shown = [_short(vocabulary.words[number]) for number in tokens[:-1].tolist()[:most]]
    asked = [_short(vocabulary.words[number]) for number in tokens[1:].tolist()[:most]]
    heights = array(nats[:most])
    figure, (axes,) = new_figure(width=9, height=3.8)
    axes.bar(range(len(shown)), heights, color=BLUE, width=0.7)
    for x, (word, height) in enumerate(zip(asked, heights, strict=True)):
        axes.text(x, height + 0.05, word, ha="center", va="bottom", fontsize=9, fontweight="bold")
    axes.set_xticks(range(len(shown)), shown, rotation=30, ha="right")
    axes.set(xlabel="the word just shown (the decoder remembers all before)", ylabel="cost of the next word (nats)")
    axes.set(title="Some words are dear, others nearly free", ylim=(0, float(heights.max()) * 1.18))
    words = "A bar for each predicted word: high where a sentence may go on in many ways, near zero where only in one."
    return Picture(figure, words)


# --- training and the truth -------------------------------------------------------------------------------------------


@styled
def learning_curve(history: History, floor: float | None, name: str = "language model") -> Picture:
    """The loss in each part of a training, and the entropy below which no model can go, where it is known."""
    figure, (axes,) = new_figure(height=3.3)
    axes.plot(
        history.steps_of("loss"),
        history["loss"],
        color=BLUE,
        linestyle="-",
        marker="o",
        label=f"{name}, mean of the last steps",
    )
    title = "The loss falls"
    if floor is not None:
        title = "The loss falls towards the entropy, and no further"
        axes.axhline(floor, color=INK, linestyle=":", label=f"entropy of the corpus, {floor:.3f}")
    axes.set(title=title, xlabel="training steps", ylabel="NLL (nats per sentence)")
    axes.legend()
    below = ", above the dotted line of the entropy" if floor is not None else ""
    return Picture(figure, f"The language model's loss falls fast, then slowly{below}.")


@styled
def sentence_by_sentence(nll: Tensor, exact: Tensor | None) -> Picture:
    """A model's NLL of each sentence against the exact one; without it a histogram. Both (sentences,), in nats."""
    figure, (axes,) = new_figure(width=5.6, height=4.2)
    if exact is None:
        axes.hist(array(nll), bins=30, color=BLUE)
        axes.set(title="What a sentence costs", xlabel="model's NLL (nats)", ylabel="sentences")
        return Picture(figure, "A histogram of the model's NLL of each test sentence.")
    axes.scatter(array(exact), array(nll), s=7, color=BLUE, alpha=0.4, label="a test sentence")
    ends = [float(exact.min()), float(exact.max())]
    axes.plot(ends, ends, color=INK, linestyle=":", label="model = truth")
    axes.set(xlabel="exact -log p (nats)", ylabel="model's NLL (nats)")
    axes.set_title(f"Priced nearly right: {Estimate.of(nll - exact).value:.2f} nats too dear on average")
    axes.legend(loc="upper left")
    return Picture(figure, "Points, one a test sentence, lie close along the diagonal on which model and truth agree.")


@styled
def training_of_vae(history: History) -> Picture:
    """Distortion, rate and KL weight in each part of a VAE's training."""
    figure, (left, right) = new_figure(2, width=9, height=3.3)
    steps = history.steps_of("rate")
    left.plot(steps, history["distortion"], color=BLUE, linestyle="-", marker="o")
    left.set(title="Distortion", xlabel="training steps", ylabel="nats per sentence")
    right.plot(steps, history["rate"], color=RED, linestyle="-.", marker="s", label="rate")
    right.set(title="Rate, while its weight rises", xlabel="training steps", ylabel="nats per sentence", ylim=(0, None))
    weight = right.twinx()
    weight.plot(steps, history["kl_weight"], color=INK, linestyle=":", label="KL weight (right axis)")
    weight.set_ylim(0, 1.05)
    weight.spines["right"].set_visible(True)
    lines = [*right.lines, *weight.lines]
    right.legend(lines, [str(line.get_label()) for line in lines], loc="lower right", fontsize=8)
    distortion = history["distortion"]
    lowest = min(range(len(distortion)), key=distortion.__getitem__)
    words = "Rate and distortion fall together while the KL weight rises, and both level off."
    if max(distortion[lowest:]) - distortion[lowest] > 0.1 * (max(distortion) - distortion[lowest]):
        words = "The rate starts high and is pressed down as the KL weight rises; "
        words += "the distortion pays for it, then recovers a little."
    return Picture(figure, words)


@styled
def on_one_axis(samples: Sequence[int], bounds: Sequence[Estimate], elbo: Estimate, model: Estimate, known: bool) -> Picture:
    """A VAE's NLL by more and more samples of z, its -ELBO, a language model and, at 0 if ``known``, the truth."""
    figure, (axes,) = new_figure(width=8, height=4.2)
    values, errors = [b.value for b in bounds], [2 * b.standard_error for b in bounds]
    axes.axhline(elbo.value, color=RED, linestyle="-.", label="VAE: -ELBO")
    axes.errorbar(
        samples, values, yerr=errors, color=BLUE, linestyle="-", marker="o", capsize=4, label="VAE: NLL by K samples of z"
    )
    axes.axhline(model.value, color=ORANGE, linestyle="--", label="language model: exact NLL")
    if known:
        axes.axhline(0, color=INK, linestyle=":", label="the truth")
    axes.set_xscale("log", base=2)
    axes.set_xticks(samples, [str(k) for k in samples])
    axes.set_title("An ELBO is not an NLL: samples tighten the bound")
    axes.set_xlabel("samples K of z a sentence; bars: ± 2 standard errors")
    axes.set_ylabel("nats per sentence" + (" above the truth" if known else ""))
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top + 0.4 * (top - bottom))  # room for the legend
    axes.legend(fontsize=9, loc="upper right")
    above = ", above the language model's, and that above the truth" if known else ""
    return Picture(figure, f"With more samples the VAE's NLL falls from its negative ELBO, and flattens out{above}.")


# --- copies of sentences ----------------------------------------------------------------------------------------------


@styled
def copied(exact: float, kept: Mapping[str, float] | None) -> Picture:
    """The share of sentences copied word for word, and of those whose copy states each fact rightly, where that is known."""
    shares = {"whole\nsentence": exact, **(kept or {})}
    figure, (axes,) = new_figure(height=3.2)
    colours = [ORANGE, *[BLUE] * len(kept or {})]
    drawn = axes.bar(range(len(shares)), [100 * share for share in shares.values()], color=colours, width=0.6)
    drawn[0].set_hatch("//")
    axes.set_xticks(range(len(shares)), list(shares))
    axes.set(ylabel="copied rightly (% of sentences)", ylim=(0, 100))
    if kept is None:
        axes.set_title("How many come back word for word")
        return Picture(figure, "One bar: the share of sentences that come back word for word.")
    axes.set_title("The facts come back, the exact words seldom")
    return Picture(figure, "Few sentences come back word for word, but most of their facts do.")


@styled
def errors_add_up(shown: Tensor, alone: Tensor) -> Picture:
    """The share of words that are right at each place, by teacher forcing and in free running; both (places,)."""
    figure, (axes,) = new_figure(height=3.3)
    places = range(1, len(shown) + 1)
    for name, shares, line, marker, colour in (
        ("shown the right words before", shown, LINES[0], MARKERS[0], BLUE),
        ("sees its own words", alone, LINES[1], MARKERS[1], ORANGE),
    ):
        axes.plot(places, 100 * array(shares), color=colour, linestyle=line, marker=marker, label=name)
    axes.set(title="Left to itself, the decoder drifts", xlabel="place of the word", ylabel="right words (%)", ylim=(0, 102))
    axes.legend(loc="lower left")
    return Picture(
        figure, "With the right words shown the share of right words stays up; left to itself the decoder drifts off."
    )


def facts_changing(sentences: Sequence[Tokens], text: Corpus) -> list[str]:
    """A line for each sentence: itself, and how its facts differ from those of the line above, where they are known.

    ``text``: what the sentences are like; it says how their tokens are joined, and knows its language or none.
    """
    lines, before, language = [], None, text.language
    for sentence in sentences:
        read = language.recognize(sentence) if language is not None else None
        note = "" if language is None or read is not None else "(no sentence of the language)"
        if read is not None and before is not None:
            note = ", ".join(f"{before[name]} → {value}" for name, value in read.facts.items() if before[name] != value)
        before = read.facts if read is not None else before
        lines.append(f"{text.tokenizer.join(sentence)}{'   | ' + note if note else ''}")
    return lines


# --- how well it writes -----------------------------------------------------------------------------------------------


@styled
def scores(named: Mapping[str, Mapping[str, Estimate]]) -> Picture:
    """Groups of bars, a group for each score, a bar for each writer, with ± 2 standard errors; scores are shares."""
    writers, kinds = list(named), list(next(iter(named.values())))
    figure, (axes,) = new_figure(width=9, height=3.8)
    width = 0.8 / len(writers)
    for k, (writer, hatch) in enumerate(zip(writers, ("", "//", "..", "xx", ""), strict=False)):
        values = [100 * named[writer][kind].value for kind in kinds]
        errors = [200 * named[writer][kind].standard_error for kind in kinds]
        places = [x + (k - (len(writers) - 1) / 2) * width for x in range(len(kinds))]
        colour = PALETTE[k % len(PALETTE)]
        axes.bar(
            places, values, width * 0.9, yerr=errors, capsize=3, color=colour, hatch=hatch, label=writer, edgecolor="white"
        )
        for place, value in zip(places, values, strict=True):
            if value < 1:  # a bar of no height would look forgotten
                axes.text(place, 1, f"{value:.1g}", ha="center", va="bottom", fontsize=9)
    axes.set_xticks(range(len(kinds)), kinds)
    axes.set(title="How well do they write?", ylabel="% of the sentences; ± 2 std. errors", ylim=(0, 104))
    figure.legend(loc="outside lower center", ncols=len(writers), fontsize=9)
    words = "Bars for each writer: the share of its sentences that the grammar accepts, that are new, and that differ."
    return Picture(figure, words)
