# What the room hands on, loaded when it is first asked for; type checkers and editors read this file too.
from . import calls as calls, catalogue as catalogue, core as core
from .calls import check as check, hint as hint, reveal as reveal, solution as solution
from .catalogue import all_exercises as all_exercises, find as find, number_of as number_of
from .core import Exercise as Exercise, Mistake as Mistake, Status as Status, Verdict as Verdict
