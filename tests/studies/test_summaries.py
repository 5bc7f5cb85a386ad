"""The study of captions: what its codes decode to, and a tiny run of it."""

import json

import numpy as np
import pytest
import torch

from vae_course import training
from vae_course.applications import summarization
from vae_course.studies import store, summaries
from vae_course.text.cures import Budget
from vae_course.text.decoding import greedy
from vae_course.text.evaluation import encode
from vae_course.text.models import TextSizes, TextVAE
from vae_course.text.vocabulary import Vocabulary


def test_by_codes_decodes_the_mean_and_the_best_of_all_subsets(pictures):
    groups = [[tuple(caption.split()) for caption in five[:3]] for five in pictures]
    vocabulary = Vocabulary.build([caption for group in groups for caption in group])
    model = training.seeded_module(0, lambda: TextVAE(len(vocabulary), TextSizes(embedding=4, hidden=8, latent=3, context=2)))
    found = summaries.by_codes(model.eval(), vocabulary, groups)
    for k, group in enumerate(groups):
        codes = encode(model, [vocabulary.encode(caption) for caption in group]).mean
        means = torch.stack([codes[[bool(bit) for bit in bits]].mean(0) for bits in summarization.subsets(3)])
        written = [vocabulary.decode(row) for row in greedy(model.decoder, means, longest=40)]
        scores = [np.mean([summarization.rouge([line], [one])["ROUGE-1"].item() for one in group]) for line in written]
        assert found["mean of all"][k] == written[-1]
        assert found["best subset"][k] == written[int(np.argmax(scores))]


def test_the_study_of_captions_runs_resumes_and_stores_its_scores(captions_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "RESULTS", tmp_path)
    monkeypatch.setattr(summaries, "CAPTION_SIZES", TextSizes(embedding=4, hidden=8, latent=3))
    monkeypatch.setattr(summaries, "CAPTION_BUDGET", Budget(4, 2, 1e-2, checks=2))
    monkeypatch.setattr(summaries, "CAPTION_WORDS", 12)
    for _ in range(2):  # the second time from the checkpoints
        path = summaries.measure(scratch=tmp_path / "kept", folder=captions_folder)
        document = json.loads(path.read_text(encoding="utf-8"))
        rows = {row["name"]: row for row in document["rows"]}
    assert len(list((tmp_path / "kept").iterdir())) == 2
    with monkeypatch.context() as patched:
        patched.setattr(summaries, "CAPTION_MODELS", {"autoencoder": 0.01})
        with pytest.raises(ValueError, match=r"autoencoder\.checkpoint: was made under other settings: kl_weight was 0\.0, is"):
            summaries.measure(scratch=tmp_path / "kept", folder=captions_folder)
    assert len(rows) == 9
    assert rows["caption 4"]["words"] == pytest.approx(10 / 3, abs=0.01)
    assert rows["caption 4"]["ROUGE-1"] == pytest.approx(np.mean([2 * 2 / 6, 2 * 2 / 5, 2 * 2 / 5]), abs=1e-4)
    # By hand the medoids are "a red dog runs on grass", "two girls sing a song" and "an old man sleeps".
    assert rows["medoid"]["ROUGE-1"] == pytest.approx(np.mean([2 * 2 / 8, 2 * 2 / 7, 2 * 2 / 6]), abs=1e-4)
