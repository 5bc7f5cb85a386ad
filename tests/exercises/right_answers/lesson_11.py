"""Right answers to lesson 11 in another style than ours: what a reader may well write."""

import torch


def distinct_n(sentences, n):
    different, total = set(), 0
    for words in sentences:
        for ngram in zip(*(words[k:] for k in range(n)), strict=False):
            different.add(ngram)
            total += 1
    return torch.tensor(len(different)) / total


def self_bleu(sentences, bleu):
    scores = torch.zeros(len(sentences))
    for i in range(len(sentences)):
        others = sentences.copy()
        own = others.pop(i)
        scores[i] = bleu(own, others)
    return scores.mean()


def tempered(logits, temperature):
    cooled = logits / temperature
    weights = torch.exp(cooled - cooled.max(dim=1, keepdim=True).values)
    return weights / weights.sum(dim=1, keepdim=True)


def keep_nucleus(probabilities, nucleus):
    kept = torch.zeros_like(probabilities)
    total = 0.0
    for word in probabilities.argsort(descending=True).tolist():
        kept[word] = probabilities[word]
        total += probabilities[word].item()
        if total >= nucleus:
            break
    return kept / kept.sum()


def beam_score(log_p, tokens, power):
    scores = []
    for row, words in zip(log_p, tokens, strict=True):
        length = words.tolist().index(2) + 1
        scores.append(row[:length].sum() / length**power)
    return torch.stack(scores)


def _counted(sentences, n):
    from collections import Counter

    counts = Counter()
    for words in sentences:
        counts.update(" ".join(words[i : i + n]) for i in range(len(words) - n + 1))
    return torch.tensor(len(counts) / counts.total(), dtype=torch.float64)


def _dictionary(sentences, n):
    found = []
    for words in sentences:
        i = 0
        while i + n <= len(words):
            found.append(words[i : i + n])
            i += 1
    return torch.tensor(len(dict.fromkeys(found)) / len(found))


def _removed(sentences, bleu):
    total = 0.0
    for own in sentences:
        others = list(sentences)
        others.remove(own)
        total = total + bleu(own, others)
    return torch.tensor(total / len(sentences), dtype=torch.float64)


def _put_back(sentences, bleu):
    scores = []
    for _ in range(len(sentences)):
        own = sentences.pop(0)
        scores.append(bleu(own, sentences))
        sentences.append(own)
    return torch.tensor(scores).mean()


def _counted_nucleus(probabilities, nucleus):
    values, words = torch.sort(probabilities, descending=True)
    count = int((values.cumsum(-1) < nucleus).sum()) + 1
    kept = torch.zeros_like(probabilities)
    kept[words[:count]] = values[:count] / values[:count].sum()
    return kept


def _unsorted_mask(probabilities, nucleus):
    values, words = torch.sort(probabilities, descending=True)
    before = torch.cat([values.new_zeros(1), values.cumsum(0)[:-1]])
    mask = (before < nucleus)[words.argsort()]
    kept = probabilities * mask
    return kept / kept.sum()


def _tail_removed(probabilities, nucleus):
    ascending, words = torch.sort(probabilities)
    kept = ascending.masked_fill(ascending.cumsum(0) <= 1 - nucleus, 0)
    return torch.zeros_like(probabilities).scatter(0, words, kept / kept.sum())


def _pairwise_nucleus(probabilities, nucleus):
    likelier = probabilities[None] > probabilities[:, None]
    equal_before = (probabilities[None] == probabilities[:, None]).tril(-1)
    before = ((likelier | equal_before) * probabilities[None]).sum(1)
    kept = probabilities.masked_fill(before >= nucleus, 0)
    return kept / kept.sum()


def _lengths_from_places(log_p, tokens, power):
    lengths = (tokens == 2).int().argmax(1, keepdim=True) + 1
    inside = torch.arange(tokens.shape[1], device=tokens.device) < lengths
    return (torch.where(inside, log_p, 0.0).sum(1, keepdim=True) / lengths.pow(power)).squeeze(1)


def _from_the_mean(log_p, tokens, power):
    mask = (tokens > 0).to(log_p.dtype)
    lengths = mask.sum(-1)
    return torch.einsum("ht,ht->h", log_p, mask) / lengths * lengths ** (1 - power)


MORE = {
    "distinct_n": [_counted, _dictionary],
    "self_bleu": [
        _removed,
        _put_back,
        lambda sentences, bleu: torch.tensor(
            [bleu(own, [other for j, other in enumerate(sentences) if j != i]) for i, own in enumerate(sentences)]
        ).mean(),
        lambda sentences, bleu: torch.tensor(
            [bleu(" ".join(own), [" ".join(o) for o in sentences[:i] + sentences[i + 1 :]]) for i, own in enumerate(sentences)]
        ).mean(),
    ],
    "tempered": [
        lambda logits, temperature: torch.log_softmax(logits / temperature, 1).exp(),
        lambda logits, temperature: (logits / temperature - (logits / temperature).logsumexp(1, keepdim=True)).exp(),
        lambda logits, temperature: torch.stack([torch.softmax(row / temperature, 0) for row in logits]),
        lambda logits, temperature: torch.distributions.Categorical(logits=logits / temperature).probs,
        lambda logits, temperature: torch.softmax(torch.log_softmax(logits, -1) / temperature, -1),
    ],
    "keep_nucleus": [_counted_nucleus, _tail_removed, _unsorted_mask, _pairwise_nucleus],
    "beam_score": [
        _lengths_from_places,
        _from_the_mean,
        lambda log_p, tokens, power: log_p.masked_fill(tokens == 0, 0).sum(1) / torch.count_nonzero(tokens, dim=1) ** power,
        lambda log_p, tokens, power: -(-log_p * (tokens >= 2)).sum(1) / (tokens >= 2).sum(1).float().pow(power),
    ],
}
