"""Pictures of lesson 05: what they are given and what they say."""

import pytest
import torch

from vae_course.figures import building
from vae_course.probability import Estimate


def test_the_grid_of_quantiles_has_equal_shares_of_the_prior_and_runs_along_rows_first():
    quantiles, grid = building.quantile_grid(5, like=torch.zeros(1, dtype=torch.float64))
    shares = torch.distributions.Normal(0.0, 1.0).cdf(quantiles)
    assert shares.diff() == pytest.approx([shares.diff()[0].item()] * 4, abs=1e-6)
    assert torch.equal(grid[:5, 0], quantiles)
    assert torch.equal(grid[:5, 1], quantiles[0].expand(5))
    assert torch.equal(grid[::5, 1], quantiles)


def test_the_whole_is_drawn_with_both_costs():
    figure = building.whole(torch.eye(8).flatten()).figure
    words = [text.get_text() for text in figure.axes[0].texts]
    assert {"encoder", "decoder", "mean", "log_var", "z", "rate", "distortion"} <= set(words)


def test_a_bound_is_called_one():
    scores = {"a": Estimate(-20.0, 0.1), "b": Estimate(-18.0, 0.1)}
    (axes,) = building.scores(scores, bounds=["b"]).figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b (bound)"]


def test_the_best_epoch_is_marked():
    (axes,) = building.learning([3.0, 2.0, 1.0], [3.5, 2.5, 2.75]).figure.axes
    marked = axes.lines[2]
    assert (marked.get_xdata()[0], marked.get_ydata()[0]) == (2, 2.5)
