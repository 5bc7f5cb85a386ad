"""Pictures of lesson 07: sentences in a batch, what words cost, what z is worth, copies, and bounds beside the truth."""

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from vae_course.figures.base import (
    BLUE,
    INK,
    LINES,
    MARKERS,
    ORANGE,
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
    """What each predicted word of ``tokens`` (time,) costs, ``nats`` (time - 1,): a bar above the word, and its number."""
    asked = [_short(vocabulary.words[number]) for number in tokens[1:].tolist()[:most]]
    heights = array(nats[:most])
    figure, (axes,) = new_figure(width=9, height=3.8)
    axes.bar(range(len(asked)), heights, color=BLUE, width=0.7)
    for x, height in enumerate(heights):
        axes.text(x, height + 0.05, f"{height:.2f}", ha="center", va="bottom", fontsize=9)
    axes.set_xticks(range(len(asked)), asked, rotation=30, ha="right")
    axes.set(xlabel="the predicted word (the model has read all words before it)", ylabel="its cost (nats)")
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
        title = "The language model comes near the entropy, and a gap remains"
        floor = language.entropy
        axes.axhline(floor, color=INK, linestyle=":", label=f"entropy of the source, {floor:.2f}")
        axes.set_ylim(floor - 0.3, floor + 3)  # the first steps lie far above
    axes.set(title=title, xlabel="training steps", ylabel="NLL (nats per sentence)")
    axes.legend()
    below = ", above the dotted line of the entropy" if language is not None else ""
    return Picture(figure, f"The loss falls fast, then slowly{below}; held-out sentences cost about the same.")


@styled
def rate_and_distortion(
    distortions: Sequence[float], rates: Sequence[float], rise: int, from_step: int = 0, most: int = 50
) -> Picture:
    """Both terms of a VAE's loss and their sum, averaged over parts of the training; until step ``rise`` the KL weight rises.

    Each panel has a scale of its own. The steps before ``from_step`` are left out: the distortion of an untrained decoder lies
    far above all others.
    """
    part = -(-len(rates) // most)
    starts = range(from_step, len(rates), part)
    middles = [start + part / 2 for start in starts]
    mean_distortions, mean_rates = (
        [sum(values[k : k + part]) / len(values[k : k + part]) for k in starts] for values in (distortions, rates)
    )
    sums = [distortion + rate for distortion, rate in zip(mean_distortions, mean_rates, strict=True)]
    lowest = min(mean_distortions)
    after = mean_distortions[mean_distortions.index(lowest) :]
    rises_again = max(after) > 1.05 * lowest
    falls_again = rises_again and after[-1] < 0.97 * max(after)
    pressed_down = mean_rates[-1] < 0.5 * max(mean_rates)
    figure, (left, middle, right) = new_figure(3, width=10, height=3.5)
    rising = "Distortion falls, rises,\nand falls again" if falls_again else "Distortion falls,\nthen rises again"
    left.set_title(rising if rises_again else "Distortion")
    middle.set_title("The rate is pressed\ndown to what pays" if pressed_down else "Rate")
    right.set_title("Distortion + rate,\nthe loss at KL weight 1")
    for axes, means, colour, line in (
        (left, mean_distortions, BLUE, "-"),
        (middle, mean_rates, RED, "-"),
        (right, sums, INK, "--"),
    ):
        axes.plot(middles, means, color=colour, linestyle=line)
        axes.axvline(rise, color=INK, linestyle=":", linewidth=1, label="from here on the KL weight is 1")
        axes.set(xlabel="training steps")
    left.set_ylabel("nats per sentence")
    middle.set_ylim(0, None)
    figure.legend(handles=[left.lines[1]], loc="outside lower center", fontsize=9)
    words = "Distortion falls; the rate is high while z is cheap, then is pressed down"
    words += ", for which distortion pays." if rises_again else "."
    if sums[-1] == min(sums):
        words += " Their sum is lowest at the end."
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
        xlabel="what the decoder sees of the words before (a point is a seed; 1,000 steps if not said)",
        ylabel="NLL, nats per sentence above the truth",
        ylim=(0, None),
    )
    axes.set_title("With annealing, z helps the decoders that see little")
    axes.legend()
    words = "Without z a decoder is worse the less it sees; with z and annealing it is better for two and four words, "
    words += "no better for eight, and a little worse for all. Without annealing most of that is lost."
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
def saved_by_place(named: Mapping[str, Tensor], window: int) -> Picture:
    """What two models save against one that sees ``window`` words, place by place: by name, (sentences, places) in nats.

    The first is told z; the title says where it saves, if that is clear.
    """
    figure, (axes,) = new_figure(width=8, height=3.6)
    looks = zip((-0.2, 0.2), (BLUE, ORANGE), ("", "//"), strict=True)
    for (name, nats), (shift, colour, hatch) in zip(named.items(), looks, strict=True):
        nats = nats.double()
        errors = array(2 * nats.std(0) / math.sqrt(len(nats)))
        places = [place + 1 + shift for place in range(nats.shape[1])]
        heights = array(nats.mean(0))
        axes.bar(
            places,
            heights,
            0.4,
            yerr=errors,
            capsize=2,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            label=f"{name}, {heights.sum():.2f} in all",
        )
    told = next(iter(named.values()))
    ticks = range(1, told.shape[1] + 1)
    axes.axvline(window + 1.5, color=INK, linestyle=":", linewidth=1.2)  # the first place has no word before it
    axes.axhline(0, color=INK, linestyle="-", linewidth=0.8)
    axes.set_xticks(ticks, [str(place) for place in ticks])
    axes.set(xlabel="place of the predicted token in the sentence", ylabel="nats saved per sentence\n(± 2 standard errors)")
    axes.legend(loc="upper left", fontsize=9)
    title, words = (
        "What is saved, place by place",
        "Two bars for each place: what z saves there, and what the LSTM in place of the window does.",
    )
    if told.shape[1] > window + 1:
        early, late = (Estimate.of(part.sum(1)) for part in (told[:, : window + 1], told[:, window + 1 :]))
        if late.value > 3 * late.standard_error and late.value > 4 * abs(early.value):
            last_third = told[:, -(-2 * told.shape[1] // 3) :].sum(1).mean().item()
            if 2 * last_third > told.sum(1).mean().item():
                title = "z saves most near the end of the sentence"
            words += " Left of the dotted line, where the window sees all words before, z saves next to nothing."
    axes.set_title(title)
    return Picture(figure, words)


@styled
def on_one_axis(counts: Sequence[int], named: Mapping[str, Sequence[Tensor]], without_z: float, known: bool) -> Picture:
    """One decoder's NLL by more and more draws of z, from several proposals: the mean of runs, and a band for a single run.

    ``named``: for each proposal, and each of ``counts``, the estimates of its runs (runs,). The band is the mean ± their
    standard deviation, if there are several. ``without_z``: the exact NLL of a model without z. If the truth is ``known``, all
    are nats above it, and the scale is logarithmic.
    """
    figure, (axes,) = new_figure(width=8, height=4.6)
    lines = {name: [runs.mean().item() for runs in estimates] for name, estimates in named.items()}
    for (name, values), colour, line, marker in zip(lines.items(), (BLUE, ORANGE, RED), LINES, MARKERS, strict=False):
        axes.plot(counts, values, color=colour, linestyle=line, marker=marker, markersize=5, label=f"z from {name}")
        spreads = [runs.std().item() for runs in named[name] if len(runs) > 1]
        low = [value - spread for value, spread in zip(values, spreads, strict=False)]
        high = [value + spread for value, spread in zip(values, spreads, strict=False)]
        axes.fill_between(counts[: len(spreads)], low, high, color=colour, alpha=0.2, linewidth=0)
    axes.axhline(without_z, color=INK, linestyle=(0, (5, 1)), linewidth=1.2, label="same decoder without z, exact NLL")
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [str(k) for k in counts])
    if known:
        axes.set_yscale("log", base=2)
        ticks = [0.125, 0.25, 0.5, 1, 2, 4, 8, 16]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        lowest = min(min(values) for values in (*lines.values(), [without_z]))
        highest = max(max(values) for values in lines.values())
        axes.set_ylim(0.7 * lowest, 1.5 * highest)
    axes.set_title("How many draws an NLL needs depends on where they come from")
    axes.set_xlabel("draws K of z for each sentence (doubled from mark to mark)")
    axes.set_ylabel("estimated NLL, nats\nabove the truth (log scale)" if known else "estimated NLL, nats")
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    words = "A line for each proposal: the mean estimate by more and more draws, with a band for a single run."
    lowest, *_, highest = sorted(values[-1] for values in lines.values())
    if highest > lowest + 1:
        words += " The encoder's soon lies flat, the prior's nears it slowly, the wrong encoder's stays far above."
    return Picture(figure, words)


# --- copies of sentences ----------------------------------------------------------------------------------------------


@styled
def copied(own: Mapping[str, float], others: Mapping[str, float] | None, count: int) -> Picture:
    """What share of ``count`` sentences comes back in their copies: word for word, and each fact, where facts are known.

    ``others``: the same of the copies of other sentences.
    """
    figure, (axes,) = new_figure(width=8, height=3.4)

    def bars(values: Sequence[float], first: float, width: float, colour: str, label: str) -> None:
        places = [first + k for k in range(len(values))]
        errors = [200 * math.sqrt(share * (1 - share) / count) for share in values]
        axes.bar(places, [100 * share for share in values], width, yerr=errors, capsize=3, color=colour, label=label)
        for place, share, error in zip(places, values, errors, strict=True):
            if share < 0.02:  # a bar that is hardly seen
                axes.text(place, 100 * share + error + 1, f"{100 * share:.1f}", ha="center", va="bottom", fontsize=9)

    if others is None:
        bars([*own.values()], 0, 0.6, BLUE, "its copy")
    else:
        bars([*own.values()], -0.2, 0.38, BLUE, "its own copy")
        bars([*others.values()], 0.2, 0.38, GREY, "the copy of another sentence")
        axes.legend()
    axes.set_xticks(range(len(own)), [name.replace(" ", "\n") for name in own])
    axes.set(ylabel="states the same\n(% of sentences; ± 2 std. errors)", ylim=(0, 100))
    if len(own) == 1:
        axes.set_title("How many come back word for word")
        return Picture(figure, "One bar: the share of sentences that come back word for word.")
    axes.set_title("What comes back: some facts, few whole sentences")
    words = "Few sentences come back word for word; their facts do more often than in the copy of another sentence."
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


def _percent(value: float) -> str:
    """A whole number, but 0.4 is not 0, and 99.6 is not 100."""
    return f"{value:.1f}" if 0 < value < 1 or 99 < value < 100 else f"{value:.0f}"


def _accepted_more(named: Mapping[str, Mapping[str, Estimate]], writer: str, than: str) -> bool:
    """Whether more of what a writer wrote is accepted than of another's, by twice the standard errors of both."""
    if writer not in named or than not in named:
        return False
    more, less = named[writer]["accepted"], named[than]["accepted"]
    return more.value - less.value > 2 * (more.standard_error + less.standard_error)


@styled
def scores(named: Mapping[str, Mapping[str, Estimate]]) -> Picture:
    """A panel for each score, a row for each writer, with ± 2 standard errors where it has one; scores are shares."""
    writers, kinds = list(named), list(next(iter(named.values())))
    figure, panels = new_figure(len(kinds), width=9, height=0.42 * len(writers) + 1.2)
    for axes, kind in zip(panels, kinds, strict=True):
        values = [100 * named[writer][kind].value for writer in writers]
        errors = [200 * named[writer][kind].standard_error for writer in writers]
        if kind == "different":  # whether a sentence is so depends on those before it: no standard error
            errors = [0.0] * len(writers)
        bars = [error if error > 0 else math.nan for error in errors]  # of what is all alike, nothing is known of the error
        colours = [GREY if writer == "the corpus" else ORANGE if "greedy" in writer else BLUE for writer in writers]
        axes.barh(range(len(writers)), values, 0.65, xerr=bars if any(errors) else None, capsize=3, color=colours)
        for row, (value, error) in enumerate(zip(values, errors, strict=True)):
            axes.text(value + error + 2, row, _percent(value), va="center", fontsize=9)
        axes.set_yticks(range(len(writers)), writers if axes is panels[0] else [""] * len(writers))
        axes.set(title=kind, xlim=(0, 120), ylim=(len(writers) - 0.4, -0.6))
        axes.set_xticks([0, 50, 100])
    no_bars = " (none for “different”, and where all are alike)" if "different" in kinds else ""
    figure.supxlabel(f"% of the sentences; ± 2 standard errors{no_bars}", fontsize=10)
    title = "How well do they write?"
    both = [(named[writer], named[f"{writer}, greedy"]) for writer in writers if f"{writer}, greedy" in named]
    if both and {"accepted", "accepted and new"} <= {*kinds}:
        slips_less = all(greedy["accepted"].value > drawn["accepted"].value for drawn, greedy in both)
        fewer_new = all(greedy["accepted and new"].value < drawn["accepted and new"].value for drawn, greedy in both)
        if slips_less and fewer_new:
            title = "Greedy writing (orange) slips less often than drawing words, and less of it is new"
            if _accepted_more(named, "VAE", than="window, no z"):
                title = "With z the window slips less often; greedy writing (orange) hardly slips, and less of it is new"
    figure.suptitle(title, x=0.01, ha="left")
    words = "A row for each writer: the shares of its sentences that are accepted, also new, and different from those before."
    if title.startswith("With z"):
        words += " Of the window's more are accepted with z than without; of the greedy VAE's nearly all, but fewer are new."
    if "accepted" not in kinds:
        words = "A row for each writer: the shares of its sentences that are new, and different from those before."
    return Picture(figure, words)
