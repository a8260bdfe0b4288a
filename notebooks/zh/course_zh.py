"""中文课程每一课的第一行是 `from course_zh import course`：代码都在上一级目录的 course.py 里，这里只选择语言。"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

import course

__all__ = ["course"]

if course.checks is not None:
    course.checks.language = "zh"
