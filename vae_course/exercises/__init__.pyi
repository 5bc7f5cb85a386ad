# What the room hands on, loaded when it is first asked for; type checkers and editors read this file too.
from . import (
    attempts as attempts,
    calls as calls,
    catalogue as catalogue,
    comparing as comparing,
    core as core,
    explanations as explanations,
    kinds as kinds,
    making as making,
    mistakes as mistakes,
    predictions as predictions,
    progress as progress,
    questions as questions,
    telling as telling,
)
from .calls import (
    assert_correct as assert_correct,
    case as case,
    check as check,
    hint as hint,
    predict as predict,
    reveal as reveal,
    solution as solution,
)
from .catalogue import (
    all_exercises as all_exercises,
    all_explanations as all_explanations,
    find as find,
    find_explanation as find_explanation,
    find_prediction as find_prediction,
    judge as judge,
    judge_privately as judge_privately,
    number_of as number_of,
)
from .core import Exercise as Exercise, Status as Status, Verdict as Verdict
from .explanations import Explanation as Explanation
from .kinds import ModuleExercise as ModuleExercise, UpdateExercise as UpdateExercise
from .mistakes import Mistake as Mistake
from .predictions import Prediction as Prediction
