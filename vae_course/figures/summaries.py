"""Pictures of lesson 12: scores that miss a wrong fact, means of codes, the exact optimum, ways to reword and how freely."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from vae_course.figures.base import BLUE, INK, LINES, MARKERS, ORANGE, PALETTE, RED, Picture, array, new_figure, styled
from vae_course.probability.estimators import Estimate


@styled
def misled(wrong: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> Picture:
    """Scores (events,) by name: of summaries with one fact wrong, and of summaries with all right in other words.

    Each panel says in what share of events the wrong one scores higher.
    """
    figure, axes = new_figure(len(wrong), width=9, height=3.2)
    for panel, name in zip(axes, wrong, strict=True):
        bins = [k / 20 for k in range(21)]
        panel.hist(array(right[name]), bins=bins, color=BLUE, alpha=0.55, label="all facts right, other words")
        panel.hist(array(wrong[name]), bins=bins, color=RED, histtype="step", hatch="//", linewidth=1.5, label="one fact wrong")
        ahead = (wrong[name] > right[name]).double().mean()
        panel.set(title=f"{name}: in {ahead:.0%} of events", xlabel="score against the reference (F1)", xlim=(0, 1.02))
    axes[0].set_ylabel("summaries")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    figure.suptitle("The wrong summary scores higher")
    words = "Summaries with one fact wrong score mostly above summaries that say the same as the reference in other words."
    return Picture(figure, words)


@styled
def more_reports(rooms: Mapping[str, Mapping[str, Sequence[float]]], as_told: float) -> Picture:
    """For each model the share of events with all facts right, by the mean code of the first 1, 2, ... reports.

    ``rooms``: a panel each, by its title, with the models in it by name. ``as_told``: the share of one report as it stands.
    """
    figure, axes = new_figure(len(rooms), width=9, height=3.6)
    for panel, (room, models) in zip(axes, rooms.items(), strict=True):
        for (name, shares), colour, line, marker in zip(models.items(), PALETTE, LINES, MARKERS, strict=False):
            counts, heights = range(1, len(shares) + 1), [100 * share for share in shares]
            panel.plot(counts, heights, color=colour, linestyle=line, marker=marker, label=name)
        panel.axhline(100 * as_told, color=INK, linestyle=":", linewidth=1.2, label="one report as it stands")
        panel.set(title=room, xlabel="reports whose codes are averaged", ylim=(-3, 103))
    axes[0].set_ylabel("all seven facts right (% of events)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    figure.suptitle("With room, both means work; in a narrow code neither pays, and the cheap KL loses less")
    words = (
        "In the wide code the means of autoencoder and cheap KL rise far above one report. In the narrow one the cheap KL's "
        "come about back to it, the autoencoder's stay below. At the full KL they stay near 0."
    )
    return Picture(figure, words)


@styled
def all_right(shares: Mapping[str, Estimate], best: str) -> Picture:
    """A bar a rule: events with all facts right, with two standard errors; the rule ``best`` also as a line to measure by."""
    figure, (axes,) = new_figure(height=0.36 * len(shares) + 1.4)
    rows = list(range(len(shares)))[::-1]
    values = [100 * share.value for share in shares.values()]
    errors = [200 * share.standard_error for share in shares.values()]
    colours = [ORANGE if "subset" in name else BLUE for name in shares]
    axes.barh(rows, values, 0.65, xerr=errors, color=colours, edgecolor=INK, linewidth=0.6, error_kw={"linewidth": 1})
    axes.axvline(100 * shares[best].value, color=INK, linestyle=":", linewidth=1.2)
    axes.set_yticks(rows, list(shares))
    axes.set(xlabel="all seven facts right (% of events)", xlim=(0, 104))
    figure.suptitle("The best subset beats mean and medoid, and stays below the vote")
    words = (
        "The best subset is far ahead of one report, the medoid and the mean of all; a vote and the exact Bayes summary lead."
    )
    return Picture(figure, words)


@styled
def side_by_side(scores: Mapping[str, Mapping[str, float]], known: bool = True) -> Picture:
    """For each writer some shares by name (0 to 1), as groups of bars; ``known``: of the course's own world."""
    figure, (axes,) = new_figure(height=3.5)
    kinds = list(next(iter(scores.values())))
    fills, hatches = ("white", ORANGE, BLUE, INK), ("", "//", "", "")
    for k, (writer, values) in enumerate(scores.items()):
        places = [column + 0.8 * (k - (len(scores) - 1) / 2) / len(scores) for column in range(len(kinds))]
        heights = [100 * values[kind] for kind in kinds]
        axes.bar(
            places, heights, 0.8 / len(scores), color=fills[k], hatch=hatches[k], edgecolor=INK, linewidth=0.8, label=writer
        )
    axes.set_xticks(range(len(kinds)), kinds)
    title = "With z or without: a tie" if known else "How much each shares with the reference"
    axes.set(title=title, ylabel="share (%)", ylim=(0, 105))
    figure.legend(loc="outside lower center", ncols=len(scores), fontsize=9)
    level = "The two trained models stand level in every score, above the story's first sentence."
    return Picture(figure, level if known else "The ROUGE scores of each way to a summary, side by side.")


@styled
def temperatures(
    swept: Mapping[str, Sequence[tuple[Estimate, float]]], tried: Sequence[float], draws: int, known: bool = True
) -> Picture:
    """For each model, by the temperature ``tried``: how many different right texts ``draws`` hold; the share that is right.

    Unless ``known`` nobody can say what is right: all count, and only the left panel is drawn.
    """
    figure, (left, *others) = new_figure(1 + known, width=9, height=3.4)
    for (name, found), colour, line, marker in zip(swept.items(), PALETTE, LINES, MARKERS, strict=False):
        style: dict[str, Any] = {"color": colour, "linestyle": line, "marker": marker}
        left.plot(tried, [count.value for count, _ in found], label=name, **style)
        for right in others:
            right.plot(tried, [100 * fine for _, fine in found], **style)
    left.set(xlabel="temperature", ylabel=f"different {'right ' if known else ''}in {draws} draws", ylim=(0, draws))
    for right in others:
        right.set(xlabel="temperature", ylabel="all facts right (% of draws)", ylim=(0, 103))
    figure.legend(loc="outside lower center", ncols=len(swept), fontsize=9)
    if not known:
        left.set_title("Warmer words differ more")
        return Picture(figure, "How many different texts each model finds, by the temperature at which words are drawn.")
    figure.suptitle("Warmer words find more, and slip more")
    words = "By the temperature of the words, with z and without: different right summaries, and the share that is right."
    return Picture(figure, words)


@styled
def ways_to_say(variety: Mapping[str, tuple[Estimate, float]], draws: int, known: bool = True) -> Picture:
    """For each way of writing: how many different right summaries ``draws`` hold, mean over texts; the share that is right.

    Unless ``known`` nobody can say what is right: all count, and only the left panel is drawn.
    """
    figure, (left, *others) = new_figure(1 + known, width=9, height=0.4 * len(variety) + 1.5)
    rows = list(range(len(variety)))[::-1]
    counts = [count.value for count, _ in variety.values()]
    errors = [2 * count.standard_error for count, _ in variety.values()]
    left.barh(rows, counts, 0.65, xerr=errors, color=BLUE, edgecolor=INK, linewidth=0.6, error_kw={"linewidth": 1})
    left.set_yticks(rows, list(variety))
    left.set(xlabel=f"different {'right ' if known else ''}summaries in {draws} draws", xlim=(0, draws))
    for right in others:
        right.barh(rows, [100 * fine for _, fine in variety.values()], 0.65, color=ORANGE, edgecolor=INK, linewidth=0.6)
        right.set_yticks(rows, [])
        right.set(xlabel="all facts right (% of draws)", xlim=(0, 103))
    if not known:
        left.set_title("How many summaries each way finds")
        return Picture(figure, f"How many different summaries each way of writing finds in {draws} draws of one text.")
    figure.suptitle("Every draw brings other words; drawn words bring slips too")
    words = "Without a draw there is one summary; draws of z give several, nearly all right; drawn words bring slips."
    return Picture(figure, words)
