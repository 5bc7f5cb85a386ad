"""Right answers to lesson 02 in another style than ours: what a reader may well write."""

import torch


def entropy_in_bits(p):
    possible = p > 0
    lengths = torch.zeros_like(p)
    lengths[possible] = -torch.log2(p[possible])
    return (p * lengths).sum(dim=-1)


def kl_discrete(p, q):
    terms = torch.where(p > 0, p * (torch.log(p) - torch.log(q)), torch.zeros_like(p))
    return torch.sum(terms, dim=-1)


def kl_to_standard_normal(mean, log_var):
    q = torch.distributions.Normal(mean, torch.exp(0.5 * log_var))
    standard = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return torch.distributions.kl_divergence(q, standard).sum(-1)


def kl_between_gaussians(mean_q, log_var_q, mean_p, log_var_p):
    std_q, std_p = torch.exp(log_var_q / 2), torch.exp(log_var_p / 2)
    terms = torch.log(std_p / std_q) + (std_q**2 + (mean_q - mean_p) ** 2) / (2 * std_p**2) - 1 / 2
    return terms.sum(dim=-1)


def kl_on_grid(log_first, log_second, step):
    density = torch.exp(log_first)
    return step * torch.dot(density, log_first) - step * torch.dot(density, log_second)


def kl_draws(log_q, log_p):
    r = torch.exp(log_p) / torch.exp(log_q)
    return (r - 1) - torch.log(r)


def kl_per_dimension(mean, log_var):
    variance = torch.exp(log_var)
    each = mean**2 / 2 + variance / 2 - log_var / 2 - 1 / 2
    return each.sum(dim=0) / len(mean)


def _entropy_by_loop(p):
    import math

    rows = p.reshape(-1, p.shape[-1])
    entropies = [sum(-x * math.log2(x) for x in row if x > 0) for row in rows.tolist()]
    return torch.tensor(entropies, dtype=p.dtype, device=p.device).reshape(p.shape[:-1])


def _entropy_by_categorical(p):
    import math

    return torch.distributions.Categorical(probs=p).entropy() / math.log(2)


def _kl_as_cross_entropy_less_entropy(p, q):
    cross_entropy = -torch.xlogy(p, q).sum(-1)
    entropy = torch.special.entr(p).sum(-1)
    return cross_entropy - entropy


def _kl_by_two_distributions(mean_q, log_var_q, mean_p, log_var_p):
    q = torch.distributions.Independent(torch.distributions.Normal(mean_q, (0.5 * log_var_q).exp()), 1)
    p = torch.distributions.Independent(torch.distributions.Normal(mean_p, (0.5 * log_var_p).exp()), 1)
    return torch.distributions.kl_divergence(q, p)


def _per_dimension_by_loop(mean, log_var):
    columns = []
    for latent in range(mean.shape[1]):
        columns.append(kl_to_standard_normal(mean[:, latent : latent + 1], log_var[:, latent : latent + 1]).mean())
    return torch.stack(columns)


MORE = {
    "entropy_in_bits": [
        _entropy_by_loop,
        _entropy_by_categorical,
        lambda p: torch.special.entr(p).sum(-1) / torch.log(torch.tensor(2.0)),
        lambda p: -(p * p.clamp_min(1e-30).log2()).sum(-1),
        lambda p: torch.nan_to_num(-p * torch.log2(p)).sum(dim=-1, keepdim=True).squeeze(-1),
    ],
    "kl_discrete": [
        _kl_as_cross_entropy_less_entropy,
        lambda p, q: (p * torch.where(p == 0, 0.0, (p / q).log())).sum(-1),
        lambda p, q: (-torch.special.entr(p) - torch.xlogy(p, q)).sum(-1),
    ],
    "kl_to_standard_normal": [
        lambda mean, log_var: -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp(), dim=-1),
        lambda mean, log_var: (mean**2 / 2 + (torch.expm1(log_var) - log_var) / 2).sum(-1, keepdim=True).squeeze(-1),
        lambda mean, log_var: (
            0.5 * (torch.linalg.vecdot(mean, mean) + log_var.exp().sum(-1) - log_var.sum(-1) - mean.shape[-1])
        ),
    ],
    "kl_between_gaussians": [
        _kl_by_two_distributions,
        lambda mean_q, log_var_q, mean_p, log_var_p: (
            -0.5
            * (
                1 + log_var_q - log_var_p - torch.exp(log_var_q - log_var_p) - (mean_p - mean_q).pow(2) * torch.exp(-log_var_p)
            ).sum(-1)
        ),
        lambda mean_q, log_var_q, mean_p, log_var_p: (
            ((log_var_p.exp() / log_var_q.exp()).log() + log_var_q.exp() / log_var_p.exp() - 1) / 2
            + 0.5 * ((mean_q - mean_p) / (log_var_p / 2).exp()) ** 2
        ).sum(-1),
    ],
    "kl_on_grid": [
        lambda log_first, log_second, step: torch.trapezoid(log_first.exp() * (log_first - log_second), dx=step),
        lambda log_first, log_second, step: (
            step * torch.nn.functional.kl_div(log_second, log_first, reduction="sum", log_target=True)
        ),
    ],
    "kl_draws": [
        lambda log_q, log_p: torch.expm1(log_p - log_q) + log_q - log_p,
        lambda log_q, log_p: -(log_p - log_q) + (torch.exp(log_p - log_q) - 1),
        lambda log_q, log_p: (log_ratio := log_p.sub(log_q)).exp().sub(1).sub(log_ratio),
    ],
    "kl_per_dimension": [
        _per_dimension_by_loop,
        lambda mean, log_var: -0.5 * torch.mean(1 + log_var - mean.pow(2) - log_var.exp(), 0),
    ],
}
