"""Is there a GPU that XGBoost could use? Asked of NVIDIA's driver itself. Standard library only."""

from lib.notebook_source.annotations import Misfit


def require() -> None:
    """Refuse with a Misfit where there is none, or XGBoost is the build without CUDA."""
    import importlib.metadata  # only where a GPU was asked for, as what follows

    if count() == 0:
        raise Misfit("'cpu' here: there is no NVIDIA GPU, or no driver for it")
    names = {str(one.metadata["Name"]) for one in importlib.metadata.distributions()}
    if "xgboost-cpu" in names:
        raise Misfit("'cpu' with xgboost-cpu, which is installed here: put `xgboost` in its place")


def count() -> int:
    """How many GPUs NVIDIA's driver has; 0 where there is no driver."""
    import ctypes
    import ctypes.util

    library = ctypes.util.find_library("cuda")
    if library is None:
        return 0
    driver, found = ctypes.CDLL(library), ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(found)):  # each gives 0 where all is well
        return 0
    return found.value
