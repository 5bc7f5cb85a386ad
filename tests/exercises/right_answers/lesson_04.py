"""Right answers to lesson 04 in another style than ours: what a reader may well write."""

import torch


def exact_posterior(log_prior, log_likelihood):
    joint = log_prior + log_likelihood
    weights = [torch.exp(one - joint.max()) for one in joint]
    total = sum(weights)
    return torch.stack([weight / total for weight in weights])


def log_importance_weights(log_likelihood, z, mean, log_var):
    q = torch.distributions.Normal(mean, torch.exp(log_var / 2))
    prior = torch.distributions.Normal(0.0, 1.0)
    return log_likelihood + (prior.log_prob(z) - q.log_prob(z)).sum(dim=2)


def discrete_elbo(log_prior, log_likelihood, q):
    allowed = q > 0
    joint = torch.where(allowed, log_prior + log_likelihood, 0)
    return (q * joint).sum(dim=-1) - torch.special.xlogy(q, q).sum(dim=-1)


def gaussian_elbo(log_likelihood, mean, log_var):
    q = torch.distributions.Normal(mean, (log_var / 2).exp())
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    rate = torch.distributions.kl_divergence(q, prior).sum(dim=1)
    return sum(log_likelihood) / len(log_likelihood) - rate


def importance_weighted_bound(log_weights):
    total = log_weights[0]
    for row in log_weights[1:]:
        total = torch.logaddexp(total, row)
    return total - torch.tensor(log_weights.shape[0]).log()


def information_in_codes(q):
    def entropy(p):
        return -torch.special.xlogy(p, p).sum(dim=-1)

    return entropy(q.mean(dim=0)) - entropy(q).mean()


MORE = {
    "exact_posterior": [
        lambda log_prior, log_likelihood: torch.log_softmax(log_prior + log_likelihood, dim=0).exp(),
        lambda log_prior, log_likelihood: torch.exp(
            log_prior + log_likelihood - torch.logsumexp(log_prior + log_likelihood, dim=0, keepdim=True)
        ),
        lambda log_prior, log_likelihood: torch.distributions.Categorical(logits=log_prior + log_likelihood).probs,
        lambda log_prior, log_likelihood: (
            log_prior.exp()
            * (log_likelihood - log_likelihood.max()).exp()
            / (log_prior.exp() @ (log_likelihood - log_likelihood.max()).exp())
        ),
    ],
    "log_importance_weights": [
        # log 2 pi cancels
        lambda log_likelihood, z, mean, log_var: (
            log_likelihood + 0.5 * (log_var + (z - mean) ** 2 * torch.exp(-log_var) - z**2).sum(-1)
        ),
    ],
    "discrete_elbo": [
        lambda log_prior, log_likelihood, q: (
            torch.where(q == 0, 0, q * log_likelihood).sum(-1) - torch.where(q == 0, 0, q * (torch.log(q) - log_prior)).sum(-1)
        ),
    ],
    "gaussian_elbo": [
        lambda log_likelihood, mean, log_var: (
            (log_likelihood - 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(1)).sum(0) / log_likelihood.shape[0]
        ),
    ],
    "importance_weighted_bound": [
        lambda log_weights: (log_weights - torch.log(torch.tensor(float(len(log_weights))))).logsumexp(0),
        lambda log_weights: (
            (log_weights - log_weights.max(0).values).exp().mean(0).log() + log_weights.max(0, keepdim=True).values.squeeze(0)
        ),
        lambda log_weights: torch.stack([torch.logsumexp(w - torch.tensor(len(w)).log(), 0) for w in log_weights.T]),
    ],
    "information_in_codes": [
        lambda q: (torch.xlogy(q, q) - torch.xlogy(q, q.sum(0) / len(q))).sum() / len(q),
        lambda q: sum((row[row > 0] * torch.log(row[row > 0] / q.mean(0)[row > 0])).sum() for row in q) / len(q),
    ],
}
