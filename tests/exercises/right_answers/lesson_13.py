"""Right answers to lesson 13 in another style than ours: what a reader may well write."""

import torch


def matches(written, reference, n):
    left = {}
    for k in range(len(reference) - n + 1):
        gram = reference[k : k + n]
        left[gram] = left.get(gram, 0) + 1
    matched = total = 0
    for k in range(len(written) - n + 1):
        gram = written[k : k + n]
        total += 1
        if left.get(gram, 0) > 0:
            left[gram] -= 1
            matched += 1
    return torch.tensor([matched, total])


def bleu(matched, total, written_length, reference_length):
    score = 100 * torch.prod(matched / total) ** (1 / 4)
    if written_length < reference_length:
        score = score * torch.exp((written_length - reference_length) / written_length)
    return score


def conditional_loss(at_posterior, at_prior, mean, log_var, prior_mean, prior_log_var):
    q = torch.distributions.Normal(mean, (log_var / 2).exp())
    p = torch.distributions.Normal(prior_mean, (prior_log_var / 2).exp())
    return torch.distributions.kl_divergence(q, p).sum(-1).mean() - at_posterior.mean()


def share_of_mixtures(joint):
    share = joint.new_zeros(())
    rows, columns = joint.shape
    for a in range(rows):
        for b in range(columns):
            if joint[a, b] == 0:
                share = share + joint[a, :].sum() * joint[:, b].sum()
    return share


def chrf(matched, written, reference):
    if matched.sum() == 0:
        return torch.zeros_like(matched.sum())
    beta = 2
    p = 0
    r = 0
    for n in range(len(matched)):
        p = p + matched[n] / written[n] / len(matched)
        r = r + matched[n] / reference[n] / len(matched)
    return 100 * (1 + beta**2) * p * r / (beta**2 * p + r)


def _matches_by_counters(written, reference, n):
    from collections import Counter

    ours = Counter(zip(*[written[k:] for k in range(n)], strict=False))
    theirs = Counter(zip(*[reference[k:] for k in range(n)], strict=False))
    return torch.tensor([sum((ours & theirs).values()), sum(ours.values())])


def _matches_by_removing(written, reference, n):
    theirs = [reference[k : k + n] for k in range(max(0, len(reference) - n + 1))]
    count = 0
    for k in range(max(0, len(written) - n + 1)):
        if written[k : k + n] in theirs:
            theirs.remove(written[k : k + n])
            count += 1
    return torch.tensor([float(count), max(0.0, len(written) - n + 1)])


def _loss_by_std(a, b, mean, log_var, prior_mean, prior_log_var):
    std, prior_std = torch.exp(0.5 * log_var), torch.exp(0.5 * prior_log_var)
    kl = torch.log(prior_std / std) + (std**2 + (mean - prior_mean) ** 2) / (2 * prior_std**2) - 0.5
    return (kl.sum(dim=1) - a).sum() / len(a)


MORE = {
    "matches": [_matches_by_counters, _matches_by_removing],
    "bleu": [
        lambda m, t, w, r: 100 * torch.exp(torch.log(m / t).sum() / 4) * torch.clamp(torch.exp(1 - r / w), 0, 1),
        lambda m, t, w, r: 100 * ((m / t).log().mean() + (1 - r / w).clamp(max=0)).exp(),
        lambda m, t, w, r: (
            100 * (m[0] / t[0] * m[1] / t[1] * m[2] / t[2] * m[3] / t[3]) ** 0.25 * min(1, torch.exp(1 - r / w).item())
        ),
        lambda m, t, w, r: torch.where(w > r, 1.0, torch.exp(1 - r / w)) * (m / t).prod().sqrt().sqrt() * 100,
    ],
    "conditional_loss": [
        _loss_by_std,
        lambda a, b, m, v, pm, pv: (
            (-a).mean() + 0.5 * (pv - v + (v - pv).exp() + (m - pm).square() * (-pv).exp() - 1).mean(0).sum()
        ),
        lambda a, b, m, v, pm, pv: (
            torch.distributions.kl_divergence(
                torch.distributions.Independent(torch.distributions.Normal(m, v.exp().sqrt()), 1),
                torch.distributions.Independent(torch.distributions.Normal(pm, pv.exp().sqrt()), 1),
            )
            - a
        ).mean(),
    ],
    "share_of_mixtures": [
        lambda joint: 1 - torch.outer(joint.sum(1), joint.sum(0))[joint > 0].sum(),
        lambda joint: torch.einsum("a,b,ab->", joint.sum(1), joint.sum(0), (joint == 0).to(joint.dtype)),
        lambda joint: (joint.sum(1)[:, None] @ joint.sum(0)[None, :] * ~(joint > 0)).sum(),
        lambda joint: torch.where(joint == 0, joint.sum(1).unsqueeze(1) * joint.sum(0), 0.0).sum(),
    ],
    "chrf": [
        lambda m, w, r: 500 / (4 / (m / r).mean() + 1 / (m / w).mean()),
        lambda m, w, r: 500 * (m / w).mean() * (m / r).mean() / (4 * (m / w).mean() + (m / r).mean() + 1e-12),
        lambda m, w, r: torch.nan_to_num(
            100 * (1 + 2**2) * (m / w).sum() / len(m) * (m / r).mean() / (2**2 * (m / w).mean() + (m / r).mean()), nan=0.0
        ),
    ],
}
