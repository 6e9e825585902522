"""Three invented hospitals whose exports show what real ones look like, with the truth beside them."""

from etl.demo.build import generate
from etl.demo.truth import Defect, DemoTruth, FileTruth

__all__ = ["Defect", "DemoTruth", "FileTruth", "generate"]
