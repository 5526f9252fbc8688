"""The book's pictures: one style, one function per recurring picture, and the runs behind each."""

from .circle import circle as circle
from .explorer import Explorer as Explorer
from .explorer import explorer as explorer
from .forest import forest as forest
from .forest_rows import ForestRow as ForestRow
from .labels import axis_loss as axis_loss
from .labels import axis_steps as axis_steps
from .labels import label_line as label_line
from .picture import Picture as Picture
from .progress import progress as progress
from .provenance import Provenance as Provenance
from .provenance import provenance as provenance
from .scaling import Panel as Panel
from .scaling import scaling as scaling
from .scrubber import Scrubber as Scrubber
from .scrubber import scrubber as scrubber
from .spectrum import spectrum as spectrum
from .style import ARMS as ARMS
from .style import PUBLISHED as PUBLISHED
from .style import TEST as TEST
from .style import TRAIN as TRAIN
from .style import arm_style as arm_style
from .style import canvas as canvas
from .style import style as style
from .survival import survival as survival
from .traces import traces as traces
