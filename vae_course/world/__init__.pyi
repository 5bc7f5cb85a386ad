# What the room hands on, loaded when it is first asked for; type checkers and editors read this file too.
from . import grammar as grammar, languages as languages, noise as noise
from .grammar import (
    By as By,
    Choice as Choice,
    Factor as Factor,
    FactPrior as FactPrior,
    Facts as Facts,
    Floats as Floats,
    Language as Language,
    Lattice as Lattice,
    Node as Node,
    Parse as Parse,
    Recognized as Recognized,
    Sequence as Sequence,
    Text as Text,
    Tokens as Tokens,
)
from .languages import (
    FACTS as FACTS,
    LANGUAGE_NAMES as LANGUAGE_NAMES,
    SPLIT_SIZES as SPLIT_SIZES,
    WORLD as WORLD,
    World as World,
    checksum as checksum,
    describe as describe,
    split_facts as split_facts,
    splits as splits,
    write_data as write_data,
)
from .noise import (
    KINDS as KINDS,
    Channel as Channel,
    Posterior as Posterior,
    Readable as Readable,
    corrected as corrected,
    normalized as normalized,
    posterior as posterior,
    wrong as wrong,
)
