"""Checks before decoding that bytes can be a complete image of limited size."""

from __future__ import annotations

import io

from PIL import Image, UnidentifiedImageError


def check_image(content: bytes) -> None:
    """Refuse images that OpenCV would decode wrongly without an error, or by allocating too much memory.

    OpenCV fills the lower part of a truncated JPEG with grey, and allocates 2.7 GB for a PNG of 100 KB whose header claims
    30,000 x 30,000 pixels. Formats unknown to Pillow are not checked.

    Args:
        content: The file.

    Raises:
        ValueError: If it is empty, truncated, or larger than Pillow's limit of ``2 * PIL.Image.MAX_IMAGE_PIXELS`` (179 million)
            pixels; the message is the part after the file's name.
    """
    if not content:
        raise ValueError('it is empty')
    try:
        Image.open(io.BytesIO(content)).close()  # reads only the header
    except Image.DecompressionBombError as error:
        raise ValueError(f'it is too large ({error})') from None
    except UnidentifiedImageError:
        return
    except Exception as error:  # a damaged header may raise any error
        raise ValueError(f'its header is damaged ({error})') from None
    if _is_cut(content):
        raise ValueError('it is cut off')


def _is_cut(content: bytes) -> bool:
    """Whether a JPEG or PNG lacks its end; bytes after the end do not matter."""
    if content.startswith(b'\xff\xd8'):
        return b'\xff\xd9' not in content[-64:] and content.rfind(b'\xff\xd9') < content.rfind(b'\xff\xda')
    return content.startswith(b'\x89PNG') and b'IEND' not in content[-64:] and b'IEND' not in content
