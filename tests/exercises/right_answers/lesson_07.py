"""Right answers to lesson 07 in another style than ours: what a reader may well write."""

import math

import torch


def sentence_nll(logits, tokens):
    costs = []
    for rows, sentence in zip(logits, tokens, strict=True):
        cost = rows.new_zeros(())
        for row, token in zip(rows, sentence[1:], strict=False):
            if token != 0:
                cost = cost + torch.logsumexp(row, 0) - row[token]
        costs.append(cost)
    return torch.stack(costs)


def to_batch(sentences):
    rows = [torch.tensor([1, *list(sentence), 2]) for sentence in sentences]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=0)


def z_at_every_word(vectors, z):
    return torch.stack([torch.cat([vectors[:, t], z], dim=-1) for t in range(vectors.size(1))], dim=1)


def text_vae_loss(logits, tokens, mean, log_var, kl_weight):
    posterior = torch.distributions.Normal(mean, torch.exp(0.5 * log_var))
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    kl = torch.distributions.kl_divergence(posterior, prior)
    return (sentence_nll(logits, tokens).sum() + kl_weight * kl.sum()) / tokens.shape[0]


def write_greedily(decoder, z, longest):
    written = torch.ones(z.shape[0], longest + 1, dtype=torch.long, device=z.device)
    with torch.no_grad():
        for place in range(longest):
            logits = decoder(written[:, : place + 1], z)
            written[:, place + 1] = logits[:, place].max(-1).indices
    return written[:, 1:]


def costs_over_z(costs):
    """The draws of z weighted by how well they fit the words before."""
    places = []
    log_weights = torch.zeros_like(costs[:, :, 0])
    for place in range(costs.shape[2]):
        weights = torch.softmax(log_weights, dim=0)
        places.append(-torch.logsumexp(weights.log() - costs[:, :, place], dim=0))
        log_weights = log_weights - costs[:, :, place]
    return torch.stack(places, dim=1)


def effective_sample_size(log_weights):
    return torch.exp(2 * torch.logsumexp(log_weights, 0) - torch.logsumexp(2 * log_weights, 0))


def nll_with_ignored_pads(logits, tokens):
    batch, time, vocabulary = logits.shape
    flat = torch.nn.functional.cross_entropy(
        logits[:, :-1].reshape(-1, vocabulary), tokens[:, 1:].reshape(-1), ignore_index=0, reduction="none"
    )
    return flat.view(batch, time - 1).sum(-1)


def batch_of_lists(sentences):
    width = 2 + max(map(len, sentences))
    rows = []
    for sentence in sentences:
        row = [1, *sentence, 2]
        rows.append(row + [0] * (width - len(row)))
    return torch.tensor(rows)


def loss_sentence_by_sentence(logits, tokens, mean, log_var, kl_weight):
    total = 0
    for k in range(len(tokens)):
        length = int((tokens[k] != 0).sum())
        words = torch.nn.functional.cross_entropy(logits[k, : length - 1], tokens[k, 1:length], reduction="sum")
        kl = -0.5 * torch.sum(1 + log_var[k] - mean[k] ** 2 - torch.exp(log_var[k]))
        total = total + words + kl_weight * kl
    return total / len(tokens)


def write_until_all_have_ended(decoder, z, longest):
    tokens = z.new_ones((len(z), 1), dtype=torch.long)
    ended = torch.zeros(len(z), dtype=torch.bool, device=z.device)
    for _ in range(longest):
        word = decoder(tokens, z)[:, -1].argmax(-1)
        word = torch.where(ended, 0, word)  # pads behind the end
        ended = ended | (word == 2)
        tokens = torch.hstack([tokens, word.unsqueeze(1)])
    return tokens[:, 1:]


MORE = {
    "sentence_nll": [
        nll_with_ignored_pads,
        lambda logits, tokens: (
            -(
                logits.log_softmax(-1)[:, :-1].gather(-1, tokens[:, 1:].unsqueeze(-1)).squeeze(-1)
                * (tokens[:, 1:] > 0).to(logits.dtype)
            ).sum(-1)
        ),
        lambda logits, tokens: (
            torch.distributions.Categorical(logits=logits[:, :-1])
            .log_prob(tokens[:, 1:])
            .neg()
            .masked_fill(tokens[:, 1:] == 0, 0)
            .sum(1)
        ),
        lambda logits, tokens: torch.stack(
            [
                torch.nn.functional.cross_entropy(row[:-1], sentence[1:], ignore_index=0, reduction="sum")
                for row, sentence in zip(logits, tokens, strict=True)
            ]
        ),
        lambda logits, tokens: (
            -torch.einsum(
                "btv,btv->b",
                logits[:, :-1].softmax(-1).log(),
                torch.nn.functional.one_hot(tokens[:, 1:], logits.shape[-1]) * (tokens[:, 1:, None] != 0).to(logits.dtype),
            )
        ),
    ],
    "to_batch": [batch_of_lists],
    "z_at_every_word": [
        lambda vectors, z: torch.cat((vectors, z.unsqueeze(1).repeat(1, vectors.shape[1], 1)), -1),
        lambda vectors, z: torch.dstack(
            [vectors, z.repeat_interleave(vectors.shape[1], 0).view(len(z), vectors.shape[1], z.shape[1])]
        ),
    ],
    "text_vae_loss": [
        loss_sentence_by_sentence,
        lambda logits, tokens, mean, log_var, kl_weight: (
            nll_with_ignored_pads(logits, tokens).mean()
            - 0.5 * kl_weight * (1 + log_var - mean.pow(2) - log_var.exp()).sum(-1).mean()
        ),
    ],
    "write_greedily": [write_until_all_have_ended],
    "costs_over_z": [
        lambda costs: torch.diff(
            math.log(len(costs)) - torch.logsumexp(torch.nn.functional.pad(-costs.cumsum(-1), (1, 0)), 0), dim=-1
        ),
    ],
    "effective_sample_size": [
        lambda log_weights: 1 / log_weights.softmax(0).pow(2).sum(0),
    ],
}
