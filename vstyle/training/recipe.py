"""A training recipe: one record, every field something that somebody may want to change."""

from __future__ import annotations

from dataclasses import dataclass, field

from vstyle.models.config import GeneratorConfig, StyleConfig
from vstyle.models.discriminator import DiscriminatorConfig


@dataclass(frozen=True)
class Phase:
    """From `start` (a share of the run) on, train on `batch` squares of `size` pixels."""

    start: float
    size: int
    batch: int  # of all processes together
    rate: float = 1.0  # times the recipe's learning rate
    video: bool = False  # the second stage: every batch is film, longer, and real film too


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run, but for the data."""

    steps: int = 6000
    seconds: float = 0.0  # of training after which it ends as well; 0 is no limit
    phases: tuple[Phase, ...] = (
        Phase(0, 128, 4),
        Phase(0.3, 192, 3),
        Phase(0.75, 192, 2, 0.7, video=True),
    )
    seed: int = 0

    # The networks, unless the run begins from a model or goes on: then what it has holds; or, if it
    # is to grow, it is given those of this generator, and paints at first as it did.
    grow: bool = False
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    style: StyleConfig = field(default_factory=StyleConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)

    # Optimiser: Adam, linear warm-up, then a cosine down to a twentieth.
    rate: float = 8e-4
    discriminator_rate: float = 4e-4
    warm_up: int = 100  # steps
    average: float = 0.998  # of the moving average of the weights, which is what is saved
    largest_gradient: float = 5.0  # norm beyond which the gradient is scaled down
    # The relief goes into the picture as before: photos have less fine detail than film, and teach
    # a model to weaken it.
    fixed_relief: bool = False
    fixed_encoder: bool = False  # only the generator learns: codes made before remain valid

    # Weights of the terms. Each term is about 1 for a picture that has nothing of what it asks for.
    # With a weight of 0 a term is not computed; `identity` is, if `identity_share` is not 0 too.
    content: float = 2.3
    structure: float = 0.3
    shapes: float = 4.0  # that of every band of the relief, however faint, but for strokes
    tints: float = 3.0  # colours that vary where neither source nor strokes do
    tone: float = 12.0  # the colours of large shapes: the source's, in the style's palette
    moments: float = 32.0
    gram: float = 16.0
    flow: float = 90.0
    long_flow: float = 0.0  # the last frame of a film against its first
    identity: float = 6.0
    grid: float = 12.0  # what all blocks of pixels have in common
    seams: float = 20.0  # what blocks of pixels differ by, each from the next
    dots: float = 20.0  # detail that is always at the same places of blocks of pixels
    variation: float = 0.0  # total variation
    cycle: float = 0.0
    taught: float = 0.0  # difference to the frames that a teacher paints
    taught_features: float = 0.0  # the same in VGG's features, of the last frame
    adversarial: float = 0.0
    adversarial_form: str = "hinge"  # minimax, non-saturating, hinge or least-squares
    adversarial_start: float = 0.1  # share of the run before which nobody judges
    r1: float = 0.0  # weight of the discriminator's gradient penalty
    style_ramp: int = 500  # steps until the style terms have their full weight: they would else win
    # Of a photo to its style; pairs that begin nearer do not count more for it.
    least_distance: float = 0.1
    reconstruction: int = 150  # first steps, which only learn to return the frame

    # How often a batch is a short film, painted with the recurrence closed, and how long it is.
    film_share: float = 0.35
    film_frames: int = 3
    video_frames: int = 5  # of the films of the second stage
    # What these are, the rest being photos in motion: rendered scenes, the clips of a folder if one
    # is given, and photos held still, painted for thrice as long.
    scene_share: float = 0.2
    clip_share: float = 0.4
    still_share: float = 0.05
    identity_share: float = 0.1  # how often a photo is asked for in its own style, which is itself
    regrade_share: float = 0.7  # how often of these in its own style, but with other colours
    cycle_share: float = 0.25  # how often the painted frame is painted back

    variants: int = 4  # of each painting: itself, and parts of it, mostly in other colours
    memory: float = 4.0  # GB of decoded pictures kept in memory; the rest goes to a mapped file
    sheet_every: int = 500  # steps from one contact sheet to the next

    @property
    def sees_features(self) -> bool:
        """Tell whether VGG is needed: whether a term of some weight is measured in its features."""
        return any((self.content, self.moments, self.gram, self.taught_features))

    def phase(self, done: float) -> Phase:
        """Return the phase that holds when `done` (0..1) of the run is over."""
        return [phase for phase in self.phases if phase.start <= done][-1]
