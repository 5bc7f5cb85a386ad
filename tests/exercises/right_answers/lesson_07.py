"""Right answers to lesson 07 in another style than ours: what a reader may well write."""

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


def perplexity(nll, tokens):
    import math

    words_and_eos = sum(sum(1 for token in sentence if token not in (0, 1)) for sentence in tokens.tolist())
    return nll.new_tensor(math.exp(nll.sum().item() / words_and_eos))


def text_vae_loss(nats, tokens, mean, log_var):
    posterior = torch.distributions.Normal(mean, torch.exp(0.5 * log_var))
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    kl = torch.distributions.kl_divergence(posterior, prior)
    words = nats.masked_fill(tokens[:, 1:] == 0, 0.0)
    return (words.sum() + kl.sum()) / tokens.shape[0]


def nll_from_samples(log_likelihood, log_prior, log_q):
    log_weights = log_likelihood + log_prior - log_q
    best = log_weights.max(dim=0, keepdim=True).values
    return -(best + (log_weights - best).exp().mean(0, keepdim=True).log()).squeeze(0)


def nll_with_ignored_pads(logits, tokens):
    batch, time, vocabulary = logits.shape
    flat = torch.nn.functional.cross_entropy(
        logits[:, :-1].reshape(-1, vocabulary), tokens[:, 1:].reshape(-1), ignore_index=0, reduction="none"
    )
    return flat.view(batch, time - 1).sum(-1)


def loss_sentence_by_sentence(nats, tokens, mean, log_var):
    total = 0
    for k in range(len(tokens)):
        length = int((tokens[k] != 0).sum()) - 1
        kl = -0.5 * torch.sum(1 + log_var[k] - mean[k] ** 2 - torch.exp(log_var[k]))
        total = total + nats[k, :length].sum() + kl
    return total / len(tokens)


def nll_by_logaddexp(log_likelihood, log_prior, log_q):
    total = log_likelihood[0] + log_prior[0] - log_q[0]
    for k in range(1, len(log_q)):
        total = torch.logaddexp(total, log_likelihood[k] + log_prior[k] - log_q[k])
    return torch.tensor(float(len(log_q)), device=log_q.device).log() - total


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
    "perplexity": [
        lambda nll, tokens: torch.exp(nll.sum() / ((tokens != 0) & (tokens != 1)).sum()),
        lambda nll, tokens: torch.exp(nll.mean() / ((tokens != 0).sum(1) - 1).float().mean()),
        lambda nll, tokens: torch.e ** (torch.sum(nll) / (torch.count_nonzero(tokens) - tokens.shape[0])),
        lambda nll, tokens: 2 ** (nll.sum() / torch.log(torch.tensor(2.0, device=nll.device)) / (tokens > 1).sum()),
    ],
    "text_vae_loss": [
        loss_sentence_by_sentence,
        lambda nats, tokens, mean, log_var: (
            (nats * tokens[:, 1:].bool()).sum(-1).mean() - 0.5 * (1 + log_var - mean.pow(2) - log_var.exp()).sum(-1).mean()
        ),
        lambda nats, tokens, mean, log_var: (
            (
                torch.where(tokens[:, 1:] == 0, torch.zeros_like(nats), nats).sum(1, keepdim=True)
                + 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(1, keepdim=True)
            )
            .mean(0)
            .squeeze()
        ),
        lambda nats, tokens, mean, log_var: (
            (nats[tokens[:, 1:] != 0].sum() + ((mean**2 + torch.expm1(log_var) - log_var) / 2).sum()) / len(nats)
        ),
    ],
    "nll_from_samples": [
        nll_by_logaddexp,
        lambda log_likelihood, log_prior, log_q: (
            -torch.logsumexp(
                log_likelihood - log_q + log_prior - torch.log(torch.tensor(float(log_q.size(0)), device=log_q.device)), 0
            )
        ),
        lambda log_likelihood, log_prior, log_q: (
            -(torch.logsumexp(log_likelihood.T + log_prior.T - log_q.T, 1) - torch.log(torch.ones_like(log_q).sum(0)))
        ),
    ],
}
