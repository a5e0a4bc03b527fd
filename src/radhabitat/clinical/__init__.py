"""Clinical variables: cells as they were typed -> numbers with a legend; Table 1."""

from radhabitat.clinical.baseline import baseline_table
from radhabitat.clinical.encoding import Encoded, encode

__all__ = ["Encoded", "baseline_table", "encode"]
