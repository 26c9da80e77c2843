"""Names of the trackers that a run can be logged to beside this product."""

from typing import Literal

TrackerName = Literal["tensorboard", "mlflow", "wandb"]
