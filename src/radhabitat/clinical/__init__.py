"""Clinical variables: cells as they were typed -> numbers with a legend."""

from radhabitat.clinical.encoding import Encoded, encode

__all__ = ["Encoded", "encode"]
