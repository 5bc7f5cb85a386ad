"""Right answers to lesson 01 in another style than ours: what a reader may well write."""

import torch


def reconstruction_error(images, reconstructions):
    total = torch.nn.functional.mse_loss(reconstructions, images, reduction="sum")
    return total / images.shape[0]


def take_step(encoder, decoder, optimizer, loss_of, images):
    for parameter in [*encoder.parameters(), *decoder.parameters()]:
        parameter.grad = None
    loss = loss_of(encoder, decoder, images)
    loss.backward()
    optimizer.step()
    return loss.detach()


def project(x, mean, components):
    centred = x - mean
    result = mean.expand(len(x), -1)
    for direction in components:
        code = (centred * direction).sum(dim=1, keepdim=True)
        result = result + code * direction
    return result


def correlated_draws(noise, mean, covariance):
    d = covariance.shape[0]
    factor = torch.zeros_like(covariance)
    for i in range(d):  # Cholesky by hand, column by column
        factor[i, i] = (covariance[i, i] - (factor[i, :i] ** 2).sum()).sqrt()
        factor[i + 1 :, i] = (covariance[i + 1 :, i] - factor[i + 1 :, :i] @ factor[i, :i]) / factor[i, i]
    return torch.einsum("ij,nj->ni", factor, noise) + mean


def moment_gap(codes):
    images, latent = codes.shape
    mean = codes.sum(dim=0) / images
    centred = codes - mean
    covariance = centred.T @ centred / (images - 1)
    difference = covariance - torch.eye(latent).to(codes)
    return mean @ mean + torch.linalg.matrix_norm(difference) ** 2


def whiten(codes):
    images, d = codes.shape
    centred = codes - codes.sum(dim=0) / images
    factor = torch.linalg.cholesky(centred.T @ centred / (images - 1))
    columns = []
    for i in range(d):  # forward substitution by hand, coordinate by coordinate
        rest = centred[:, i]
        for j in range(i):
            rest = rest - factor[i, j] * columns[j]
        columns.append(rest / factor[i, i])
    return torch.stack(columns, dim=1)


def _error_by_loop(images, reconstructions):
    errors = []
    for image, reconstruction in zip(images, reconstructions, strict=True):
        difference = reconstruction - image
        errors.append(torch.dot(difference, difference))
    return torch.stack(errors).mean()


def _project_by_matrix(x, mean, components):
    projection = components.t().matmul(components)
    return (projection @ (x - mean).T).T + mean


def _draws_by_loop(noise, mean, covariance):
    factor = torch.linalg.cholesky(covariance)
    return torch.stack([mean + factor.mv(row) for row in noise])


MORE = {
    "reconstruction_error": [
        _error_by_loop,
        lambda images, reconstructions: torch.mean(torch.sum((images - reconstructions) ** 2, dim=1)),
        lambda images, reconstructions: torch.nn.functional.mse_loss(images, reconstructions) * images.shape[-1],
        lambda images, reconstructions: torch.linalg.vector_norm(images - reconstructions, dim=1).square().mean(),
        lambda images, reconstructions: ((reconstructions - images) ** 2).mean(0, keepdim=True).sum(),
    ],
    "project": [
        _project_by_matrix,
        lambda x, mean, components: mean + torch.einsum("ip,cp,cq->iq", x - mean, components, components),
        lambda x, mean, components: torch.nn.functional.linear(
            torch.nn.functional.linear(x - mean, components), components.T, mean
        ),
        lambda x, mean, components: (
            x @ components.T @ components + mean[None] - mean @ components.T @ components  # the mean encoded apart
        ),
    ],
    "correlated_draws": [
        _draws_by_loop,
        lambda noise, mean, covariance: (mean[:, None] + torch.linalg.cholesky(covariance) @ noise.T).T,
        lambda noise, mean, covariance: noise @ torch.linalg.cholesky(covariance, upper=True) + mean,
        lambda noise, mean, covariance: (
            mean
            + torch.matmul(torch.distributions.MultivariateNormal(mean, covariance).scale_tril, noise.unsqueeze(-1)).squeeze(-1)
        ),
    ],
    "whiten": [
        lambda codes: (
            torch.linalg.solve_triangular(torch.linalg.cholesky(torch.cov(codes.T)), (codes - codes.mean(0)).T, upper=False).T
        ),
        lambda codes: torch.linalg.solve(torch.linalg.cholesky(torch.cov(codes.T)), (codes - codes.mean(0)).T).T,
        lambda codes: torch.linalg.solve_triangular(
            torch.linalg.cholesky(torch.cov(codes.T), upper=True), codes - codes.mean(0), upper=True, left=False
        ),
    ],
}
