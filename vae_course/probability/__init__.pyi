# What the room hands on, loaded when it is first asked for; type checkers and editors read this file too.
from . import distributions as distributions, estimators as estimators, exact as exact
from .distributions import (
    LOG_2_PI as LOG_2_PI,
    Gaussian as Gaussian,
    GaussianGiven as GaussianGiven,
    GaussianMixture as GaussianMixture,
    NotFiniteError as NotFiniteError,
    TextPosterior as TextPosterior,
    UniformOnSphere as UniformOnSphere,
    VonMisesFisher as VonMisesFisher,
    check_probabilities as check_probabilities,
    discrete_cross_entropy as discrete_cross_entropy,
    discrete_entropy as discrete_entropy,
    discrete_kl as discrete_kl,
    nats_to_bits as nats_to_bits,
    p_log_q as p_log_q,
    standard_normal as standard_normal,
    standard_uniform as standard_uniform,
)
from .estimators import (
    Density as Density,
    Elbo as Elbo,
    Estimate as Estimate,
    GradientDraws as GradientDraws,
    KLEstimates as KLEstimates,
    LatentModel as LatentModel,
    Posterior as Posterior,
    elbo as elbo,
    gumbel_noise as gumbel_noise,
    gumbel_softmax as gumbel_softmax,
    importance_weighted_bound as importance_weighted_bound,
    kl_from_samples as kl_from_samples,
    log_importance_weight as log_importance_weight,
    pathwise_gradient as pathwise_gradient,
    score_function_gradient as score_function_gradient,
)
from .exact import DiscreteModel as DiscreteModel, LinearGaussian as LinearGaussian, WithEncoder as WithEncoder
