"""Right answers to lesson 15 in another style than ours: what a reader may well write."""

import torch


def surprisal(logits, tokens):
    return torch.nn.functional.cross_entropy(logits[:-1], tokens[1:], reduction="none")


def f_half(flagged, wrong):
    hits = (flagged & wrong).sum()
    false_alarms = (flagged & ~wrong).sum()
    misses = (~flagged & wrong).sum()
    return 1.25 * hits / (1.25 * hits + 0.25 * misses + false_alarms)


def honest_score(scores, wrong, test_scores, test_wrong, score):
    best_value = None
    best_threshold = None
    for threshold in scores.sort(descending=True).values:
        value = score(scores >= threshold, wrong)
        if best_value is None or value > best_value:
            best_value, best_threshold = value, threshold
    return score(test_scores >= best_threshold, test_wrong)


def meant_given_written(prior, channel, written):
    return (prior.log() + channel[:, written].log()).softmax(0)


def doubt(posterior, readings, written):
    result = torch.zeros(len(written), dtype=posterior.dtype, device=posterior.device)
    for p, reading in zip(posterior, readings, strict=True):
        result = result + torch.where(reading == written, 0.0, p)
    return result


def _surprisal_by_a_loop(logits, tokens):
    result = []
    for t in range(len(tokens) - 1):
        result.append(logits[t].logsumexp(0) - logits[t, tokens[t + 1]])
    return torch.stack(result)


def _f_half_by_parts(flagged, wrong):
    hits = int((flagged * wrong).sum())
    if hits == 0:
        return torch.tensor(0.0)
    precision, recall = hits / int(flagged.sum()), hits / int(wrong.sum())
    return torch.tensor((1 + 0.5**2) * precision * recall / (0.5**2 * precision + recall))


def _bayes_by_a_loop(prior, channel, written):
    joint = torch.stack([prior[m] * channel[m, written] for m in range(len(prior))])
    total = 0
    for p in joint:
        total = total + p
    return joint / total


MORE = {
    "surprisal": [
        _surprisal_by_a_loop,
        lambda logits, tokens: -logits.softmax(-1).log()[torch.arange(len(tokens) - 1), tokens[1:]],
        lambda logits, tokens: -torch.distributions.Categorical(logits=logits[:-1]).log_prob(tokens[1:]),
        lambda logits, tokens: -(logits.log_softmax(1)[:-1] * torch.nn.functional.one_hot(tokens[1:], logits.shape[1])).sum(1),
    ],
    "f_half": [
        _f_half_by_parts,
        lambda flagged, wrong: 1.25 * (flagged & wrong).sum() / (flagged.sum() + 0.25 * wrong.sum()),
        lambda flagged, wrong: torch.nan_to_num(
            1.25 / ((flagged.sum() / (flagged & wrong).sum()) + 0.25 * (wrong.sum() / (flagged & wrong).sum()))
        ),
        lambda flagged, wrong: (
            1.25 * (flagged.double() @ wrong.double()) / (flagged.double().sum() + 0.25 * wrong.double().sum() + 1e-9)
        ),
    ],
    "honest_score": [
        lambda s, w, ts, tw, score: score(ts >= max(s, key=lambda t: float(score(s >= t, w))), tw),
        lambda s, w, ts, tw, score: score(
            ts >= s.unique()[torch.tensor([float(score(s >= t, w)) for t in s.unique()]).argmax()], tw
        ),
        lambda s, w, ts, tw, score: score(~(ts < sorted(s.tolist(), key=lambda t: score(s >= t, w))[-1]), tw),
    ],
    "meant_given_written": [
        _bayes_by_a_loop,
        lambda prior, channel, written: (prior[:, None] * channel / (prior @ channel))[:, written],
        lambda prior, channel, written: prior * channel[:, written] / (prior @ channel)[written],
        lambda prior, channel, written: torch.nn.functional.normalize(prior * channel.T[written], p=1, dim=0),
    ],
    "doubt": [
        lambda posterior, readings, written: 1 - (posterior[:, None] * (readings == written)).sum(0),
        lambda posterior, readings, written: torch.einsum("r,rw->w", posterior, (readings != written).to(posterior)),
        lambda posterior, readings, written: torch.stack(
            [posterior[readings[:, k] != written[k]].sum() for k in range(len(written))]
        ),
        lambda posterior, readings, written: (readings.ne(written).T * posterior).sum(dim=-1),
    ],
}
