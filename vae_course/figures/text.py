"""Pictures of lesson 07: sentences in a batch, what words cost, what z is worth, copies, and bounds beside the truth."""

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
from vae_course.world.grammar import Language, Tokens

GREY = "#bbbbbb"
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
    axes.set(xlabel="the word just shown (the model remembers all before)", ylabel="cost of the next word (nats)")
    axes.set(title="What each token of a sentence costs", ylim=(0, float(heights.max()) * 1.18))
    words = "A bar for each predicted word: high where a sentence may go on in many ways, near zero where only in one."
    return Picture(figure, words)


# --- training and the truth -------------------------------------------------------------------------------------------


@styled
def learning(losses: Sequence[float], looks: Sequence[float], every: int, language: Language | None, most: int = 50) -> Picture:
    """The loss of each step, averaged over parts of the training, and held-out sentences ``every`` so many steps.

    ``language``: the source, where it is known; no model can go below its entropy. ``most``: how many parts at most.
    """
    part = -(-len(losses) // most)
    means = [sum(losses[k : k + part]) / len(losses[k : k + part]) for k in range(0, len(losses), part)]
    middles = [k + part / 2 for k in range(0, len(losses), part)]
    figure, (axes,) = new_figure(height=3.3)
    axes.plot(middles, means, color=BLUE, linestyle="-", label=f"training, means of {part} steps")
    steps = [every * (k + 1) for k in range(len(looks))]
    axes.plot(steps, list(looks), color=ORANGE, linestyle="--", marker="s", label="held-out sentences")
    title = "The language model's loss"
    if language is not None:
        title = "The language model comes near the entropy"
        floor = language.entropy
        axes.axhline(floor, color=INK, linestyle=":", label=f"entropy of the source, {floor:.2f}")
        axes.set_ylim(floor - 1, floor + 10)
    axes.set(title=title, xlabel="training steps", ylabel="NLL (nats per sentence)")
    axes.legend()
    below = ", above the dotted line of the entropy" if language is not None else ""
    return Picture(figure, f"The loss falls fast, then slowly{below}; held-out sentences cost about the same.")


@styled
def rate_and_distortion(distortions: Sequence[float], rates: Sequence[float], rise: int, most: int = 50) -> Picture:
    """Both terms of a VAE's loss, averaged over parts of the training; until step ``rise`` the KL weight rises."""
    part = -(-len(rates) // most)
    middles = [k + part / 2 for k in range(0, len(rates), part)]
    mean_distortions, mean_rates = (
        [sum(values[k : k + part]) / len(values[k : k + part]) for k in range(0, len(values), part)]
        for values in (distortions, rates)
    )
    lowest = min(mean_distortions)
    rises_again = max(mean_distortions[mean_distortions.index(lowest) :]) > 1.05 * lowest
    pressed_down = mean_rates[-1] < 0.5 * max(mean_rates)
    figure, (left, right) = new_figure(2, width=9, height=3.3)
    left.set_title("Distortion falls, then rises again" if rises_again else "Distortion")
    right.set_title("The rate is pressed down to what pays" if pressed_down else "Rate")
    for axes, means, colour in ((left, mean_distortions, BLUE), (right, mean_rates, RED)):
        axes.plot(middles, means, color=colour, linestyle="-")
        axes.axvline(rise, color=INK, linestyle=":")
        axes.set(xlabel="training steps", ylabel="nats per sentence")
        highest = max(means) if axes is right else max(means[len(means) // 10 :])
        axes.set_ylim(0, 1.15 * highest)
    right.text(1.03 * rise, 0.95 * right.get_ylim()[1], "KL weight 1\nfrom here on", fontsize=9, va="top")
    words = "Distortion falls steeply at first; the rate leaps, falls and rises again while z is cheap, then is pressed down"
    words += ", for which distortion pays." if rises_again else "."
    return Picture(figure, words)


@styled
def with_and_without_z(without: Mapping[str, Sequence[float]], with_z: Mapping[str, Mapping[str, Sequence[float]]]) -> Picture:
    """Nats above the truth of decoders, by name, without z and with it, by how it was trained: a point for each seed."""
    figure, (axes,) = new_figure(width=8, height=3.8)
    kinds = {"without z": without, **{f"with z, {way}": values for way, values in with_z.items()}}
    styles = ((INK, "s", True), (BLUE, "o", True), (BLUE, "o", False))
    for (kind, values), (colour, marker, filled), shift in zip(kinds.items(), styles, (-0.15, 0, 0.15), strict=True):
        for place, points in enumerate(values.values()):
            axes.plot(
                [place + shift + 0.022 * (k - (len(points) - 1) / 2) for k in range(len(points))],  # side by side
                list(points),
                marker,
                color=colour,
                markerfacecolor=colour if filled else "white",
                linestyle="none",
                label=kind if place == 0 else None,
            )
    axes.set_xticks(range(len(without)), list(without))
    axes.set(
        xlabel="what the decoder sees of the words before", ylabel="NLL, nats per sentence above the truth", ylim=(0, None)
    )
    axes.set_title("What a decoder cannot see, z can tell it (a point is a seed)")
    axes.legend()
    words = "Without z a decoder is worse the less it sees; with z and annealing it is better for two and four words only."
    return Picture(figure, words)


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
def on_one_axis(
    counts: Sequence[int],
    named: Mapping[str, Sequence[Estimate]],
    effective: Mapping[str, float],
    without_z: Estimate,
    known: bool,
) -> Picture:
    """One decoder's NLL by more and more draws of z, from several proposals, each with its effective sample size.

    ``without_z``: the exact NLL of a model without z. At 0, if ``known``, the truth.
    """
    figure, (axes,) = new_figure(width=8, height=4.4)
    for (name, estimates), colour, line, marker in zip(named.items(), (BLUE, ORANGE, RED), LINES, MARKERS, strict=False):
        label = f"z from {name} ({effective[name]:.0f} of {counts[-1]} count, median)"
        values = [estimate.value for estimate in estimates]
        axes.plot(counts, values, color=colour, linestyle=line, marker=marker, markersize=5, label=label)
    axes.axhline(without_z.value, color=INK, linestyle=(0, (5, 1)), linewidth=1.2, label="same decoder without z, exact NLL")
    if known:
        axes.axhline(0, color=INK, linestyle=":", label="the truth")
    axes.set_xscale("log", base=2)
    axes.set_yscale("symlog", linthresh=1, linscale=1)
    axes.set_xticks(counts, [str(k) for k in counts])
    ticks = [tick for tick in (0, 0.5, 1, 2, 4, 8, 16, 32) if known]
    if ticks:
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        highest = max(estimate.value for estimates in named.values() for estimate in estimates)
        axes.set_ylim(-0.1, 8 * highest)  # room for the legend
    axes.set_title("One decoder, three proposals: on average, lower is nearer to its NLL")
    axes.set_xlabel("draws K of z for each sentence (doubled from mark to mark)")
    axes.set_ylabel(
        "estimate of the NLL, nats per sentence" + (" above the truth\n(linear up to 1, then logarithmic)" if known else "")
    )
    axes.legend(fontsize=9, loc="upper right")
    words = "With more draws all three lines fall; the encoder's and the prior's meet, the wrong encoder's stays above them."
    return Picture(figure, words)


# --- copies of sentences ----------------------------------------------------------------------------------------------


@styled
def copied(exact: float, kept: Mapping[str, float] | None, commonest: Mapping[str, float] | None) -> Picture:
    """The share of sentences copied word for word, and of those whose copy states each fact rightly, where that is known.

    ``commonest``: what a writer scores that always names each fact's commonest value.
    """
    shares = {"whole\nsentence": exact, **(kept or {})}
    figure, (axes,) = new_figure(width=8, height=3.4)
    axes.bar(range(len(shares)), [100 * share for share in shares.values()], color=BLUE, width=0.6, label="its copy")
    if commonest is not None:
        guessed = [0.0, *commonest.values()]
        axes.bar(
            range(len(shares)), [100 * share for share in guessed], color=GREY, width=0.3, label="always the commonest value"
        )
        axes.legend()
    axes.set_xticks(range(len(shares)), list(shares))
    axes.set(ylabel="states the same (% of sentences)", ylim=(0, 100))
    if kept is None:
        axes.set_title("How many come back word for word")
        return Picture(figure, "One bar: the share of sentences that come back word for word.")
    axes.set_title("What comes back: some facts, few whole sentences")
    words = (
        "Few sentences come back word for word; their facts do more often than a guess of the commonest value, some far more."
    )
    return Picture(figure, words)


def facts_changing(sentences: Sequence[Tokens], text: Corpus) -> list[str]:
    """A line for each sentence: itself, and how its facts differ from those of the line above, where they are known.

    ``text``: what the sentences are like; it says how their tokens are joined, and knows its language or none. Where it knows
    it, a last line says how many of the sentences are accepted.
    """
    lines, before, accepted, language = [], None, 0, text.language
    for sentence in sentences:
        read = language.recognize(sentence) if language is not None else None
        note = "" if language is None or read is not None else "(no sentence of the language)"
        if read is not None and before is not None:
            note = ", ".join(f"{before[name]} → {value}" for name, value in read.facts.items() if before[name] != value)
        before = read.facts if read is not None else before
        accepted += read is not None
        lines.append(f"{text.tokenizer.join(sentence)}{'   | ' + note if note else ''}")
    if language is not None:
        lines.append(f"(the grammar accepts {accepted} of these {len(sentences)})")
    return lines


# --- how well it writes -----------------------------------------------------------------------------------------------


@styled
def scores(named: Mapping[str, Mapping[str, Estimate]]) -> Picture:
    """Groups of bars, a group for each score, a bar for each writer, with ± 2 standard errors; scores are shares."""
    writers, kinds = list(named), list(next(iter(named.values())))
    figure, (axes,) = new_figure(width=9, height=3.8)
    width = 0.8 / len(writers)
    looks = zip((*PALETTE, GREY), ("", "//", "..", "xx", "\\\\", ""), strict=True)
    for k, (writer, (colour, hatch)) in enumerate(zip(writers, looks, strict=False)):
        values = [100 * named[writer][kind].value for kind in kinds]
        errors = [200 * named[writer][kind].standard_error for kind in kinds]
        places = [x + (k - (len(writers) - 1) / 2) * width for x in range(len(kinds))]
        axes.bar(
            places, values, width * 0.9, yerr=errors, capsize=3, color=colour, hatch=hatch, label=writer, edgecolor="white"
        )
        for place, value in zip(places, values, strict=True):
            if value < 1:  # a bar of no height would look forgotten
                axes.text(place, 1, f"{value:.1g}", ha="center", va="bottom", fontsize=9)
    axes.set_xticks(range(len(kinds)), kinds)
    title = "How well do they write?"
    both = [(named[writer], named[f"{writer}, greedy"]) for writer in writers if f"{writer}, greedy" in named]
    if both and {"accepted", "accepted and new"} <= {*kinds}:
        slips_less = all(greedy["accepted"].value > drawn["accepted"].value for drawn, greedy in both)
        fewer_new = all(greedy["accepted and new"].value < drawn["accepted and new"].value for drawn, greedy in both)
        if slips_less and fewer_new:
            title = "Greedy writing slips less often than drawing words, and less of it is new"
    axes.set(title=title, ylabel="% of the sentences; ± 2 std. errors", ylim=(0, 104))
    figure.legend(loc="outside lower center", ncols=3, fontsize=9)
    words = "Bars for each writer: the shares of its sentences that are accepted, also new, and different from those before."
    if "accepted" not in kinds:
        words = "Bars for each writer: the shares of its sentences that are new, and different from those before."
    return Picture(figure, words)
