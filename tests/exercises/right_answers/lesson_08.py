"""Right answers to lesson 08 in another style than ours: what a reader may well write."""

import torch


def log_density_table(z, mean, log_var):
    rows = []
    for code in z:
        rows.append(torch.distributions.Normal(mean, log_var.mul(0.5).exp()).log_prob(code).sum(dim=1))
    return torch.stack(rows)


def mutual_information(log_q):
    import math

    return math.log(log_q.shape[0]) + torch.log_softmax(log_q, dim=1).diagonal().mean()


def active_units(mean, std):
    count = torch.zeros((), dtype=torch.long, device=mean.device)
    for coordinate in mean.unbind(1):
        if coordinate.std() > 0.1:
            count = count + 1
    return count


def own_z_saves(distortion, other):
    swapped = distortion.gather(1, other.unsqueeze(1)).squeeze(1)
    own = torch.einsum("ii->i", distortion)
    return swapped - own


def coordinate_earns(weight, variance, noise_variance):
    ratio = noise_variance / (weight**2 + noise_variance)
    return (ratio.log() + variance / noise_variance * (1 - ratio)) / 2


def fitted_distortion(p, q):
    nats = 0.0
    q_of_z = torch.einsum("x,xz->z", p, q)
    for state in range(q.shape[1]):
        decoder = q[:, state] * p / q_of_z[state]
        nats = nats + q_of_z[state] * torch.distributions.Categorical(probs=decoder).entropy()
    return nats


def posterior_mean(log_likelihood, grid):
    log_joint = log_likelihood + torch.distributions.Normal(0.0, 1.0).log_prob(grid).unsqueeze(1)
    log_posterior = log_joint - log_joint.logsumexp(0)
    return torch.einsum("pn,p->n", log_posterior.exp(), grid)


def aggressive_step(loss_of, encoder_optimizer, decoder_optimizer, batches):
    *for_the_encoder, for_the_decoder = batches
    for batch in for_the_encoder:
        loss = loss_of(batch)
        encoder_optimizer.zero_grad(set_to_none=False)
        loss.backward()
        encoder_optimizer.step()
    loss = loss_of(for_the_decoder)
    encoder_optimizer.zero_grad()
    decoder_optimizer.zero_grad()
    loss.backward()
    decoder_optimizer.step()
    return loss.detach()


def _by_gradients(loss_of, encoder_optimizer, decoder_optimizer, batches):
    def move(optimizer, batch):
        weights = optimizer.param_groups[0]["params"]
        loss = loss_of(batch)
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.grad = gradient
        optimizer.step()
        return loss.detach()

    for batch in batches[:-1]:
        move(encoder_optimizer, batch)
    return move(decoder_optimizer, batches[-1])


def _distortion_saved_minus_rate(weight, variance, noise_variance):
    of_the_model = weight**2 + noise_variance
    square_of_means = weight**2 * variance / of_the_model**2  # q is the model's own posterior
    width = noise_variance / of_the_model
    error = variance * (noise_variance / of_the_model) ** 2 + weight**2 * width
    saved = (variance - error) / (2 * noise_variance)
    return saved - (square_of_means + width - 1 - width.log()) / 2


def _two_gaussians(weight, variance, noise_variance):
    def cost(of_the_model):
        return 0.5 * torch.log(2 * torch.pi * of_the_model) + variance / (2 * of_the_model)

    return cost(noise_variance) - cost(noise_variance + weight * weight)


def _entropy_minus_information(p, q):
    q_of_z = p @ q
    entropy = -(p * p.log()).sum()
    return entropy - (p * (q * (q.log() - q_of_z.log())).sum(dim=1)).sum()


def _information_in_a_loop(log_q):
    terms = []
    for i in range(len(log_q)):
        row = log_q[i]
        largest = row.max()
        terms.append(row[i] - largest - torch.log(torch.mean(torch.exp(row - largest))))
    return torch.stack(terms).mean()


def _saved_in_a_loop(distortion, other):
    return torch.stack([distortion[i, j] - distortion[i, i] for i, j in enumerate(other.tolist())])


def _posterior_mean_shifted(log_likelihood, grid):
    joint = log_likelihood - 0.5 * grid.reshape(-1, 1) ** 2
    weights = torch.exp(joint - joint.max(dim=0, keepdim=True).values)
    return (weights.T @ grid) / weights.sum(dim=0)


MORE = {
    "fitted_distortion": [_entropy_minus_information],
    "log_density_table": [
        lambda z, mean, log_var: torch.distributions.Normal(mean, (log_var / 2).exp()).log_prob(z[:, None]).sum(-1),
        lambda z, mean, log_var: torch.distributions.Independent(
            torch.distributions.Normal(mean, (log_var / 2).exp()), 1
        ).log_prob(z.unsqueeze(1)),
    ],
    "coordinate_earns": [_distortion_saved_minus_rate, _two_gaussians],
    "aggressive_step": [_by_gradients],
    "mutual_information": [
        _information_in_a_loop,
        lambda log_q: (
            torch.nn.functional.cross_entropy(log_q, torch.arange(len(log_q), device=log_q.device)).neg()
            + torch.tensor(float(len(log_q))).log()
        ),
        lambda log_q: (
            torch.distributions.Categorical(logits=log_q).log_prob(torch.arange(len(log_q), device=log_q.device)).mean()
            + torch.log(torch.tensor(len(log_q), device=log_q.device))
        ),
    ],
    "active_units": [
        lambda mean, std: torch.count_nonzero(mean.var(dim=0) > 0.01),
        lambda mean, std: (mean.var(0, correction=0) > 0.01).float().sum(),
        lambda mean, std: ((mean - mean.mean(0)) ** 2).mean(0).gt(0.01).sum(),
        lambda mean, std: (torch.diag(torch.cov(mean.T)) > 0.01).sum(),
    ],
    "own_z_saves": [
        _saved_in_a_loop,
        lambda distortion, other: distortion[:, other].diagonal() - distortion.diag(),
        lambda distortion, other: (
            (torch.nn.functional.one_hot(other, len(other)) - torch.eye(len(other), device=other.device)) * distortion
        ).sum(1),
    ],
    "posterior_mean": [
        _posterior_mean_shifted,
        lambda log_likelihood, grid: grid @ torch.softmax(log_likelihood - grid.pow(2).unsqueeze(-1) / 2, 0),
        lambda log_likelihood, grid: torch.stack(
            [(torch.softmax(column - grid**2 / 2, dim=-1) * grid).sum() for column in log_likelihood.T]
        ),
    ],
}
