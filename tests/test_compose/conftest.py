import numpy as np
import pytest
from PIL import Image


def pictures(folder, classes, images=6, side=32):
    """Class folders of noise."""
    rng = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(images):
            Image.fromarray(rng.integers(255, size=(side, side, 3), dtype=np.uint8)).save(folder / name / f'{number}.png')
    return folder


@pytest.fixture(scope='package')
def six(tmp_path_factory):
    """Six classes of six images, 32x32, whose names hold spaces and other alphabets."""
    return pictures(tmp_path_factory.mktemp('given') / 'birds', ['blue tit', 'Star', 'зяблик', '鹤', 'owl-2', "o'clock"])
