"""What an exercise can ask for, and how it judges an answer.

``judge(yours, **given)`` returns the words for a right answer; for any other it raises
CourseError with a hint, which names the mistake and never the answer. ``given`` is what
the exercise needs of the notebook.
"""

import re

import numpy as np

from ... import CourseError

NUMBER = r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[-+]?\d+)?"


class Number:
    """A number, or a row of them: an int counts, all else has a tolerance.

    expected: the number, the row, or a function of what is given. The tolerance is
    absolute, and as small as the nearest wrong idea asks for.
    """

    def __init__(self, expected, tolerance=1e-3):
        self.expected, self.tolerance, self.mistakes = expected, tolerance, ()
        self.counts = isinstance(expected, int)

    def hint(self, mistake, words):
        """Add a foreseen mistake: the number, the row, or all from (low to high)."""
        self.mistakes += ((mistake, words),)
        return self

    def judge(self, yours, **given):
        """Words for a right answer; raises CourseError with a hint for another."""
        wanted = self.expected(**given) if callable(self.expected) else self.expected
        if np.ndim(wanted) and isinstance(yours, str):
            yours = re.findall(NUMBER.replace(",", ""), yours[:99]) or yours
        numbers = as_numbers(yours).squeeze()
        said = f"yours {short(numbers)}"
        if self.equal(numbers, wanted):
            exact = f", expected {short(wanted)}"
            return said + exact * (short(wanted) != short(numbers)) + " ✓"
        for v, words in self.mistakes:
            between = np.ndim(wanted) == numbers.ndim == 0 and np.ndim(v)
            met = v[0] <= numbers <= v[1] if between else self.equal(numbers, v)
            if met:
                raise CourseError(f"{said}: {words}")
        if numbers.shape != np.shape(wanted):
            shapes = f"{list(numbers.shape)}, not {list(np.shape(wanted))}"
            raise CourseError(f"{said} has the shape {shapes}: [] is a single number.")
        if numbers.ndim:
            if self.equal(np.sort(numbers), np.sort(wanted)):
                raise CourseError(f"{said}: the right numbers, in another order.")
            right = sum(self.equal(*pair) for pair in zip(numbers, wanted))
            raise CourseError(f"{said}: {right} of {len(wanted)} numbers are right.")
        raise CourseError(said + self.of_any_number(numbers, wanted))

    def of_any_number(self, number, wanted):
        """A hint for a single number that was not foreseen."""
        if self.counts and number % 1:
            return ": what is counted here comes whole."
        if self.equal(-number, wanted):
            return ": the size is right, the sign is not."
        if abs(wanted) <= 1 and self.equal(number / 100, wanted):
            return ": give the share, not the percentage."
        if not self.counts and abs(number - wanted) <= 0.05 * abs(wanted):
            return " is near, but not near enough: give more digits."
        return " is not right yet."

    def equal(self, a, b):
        """Have these the same shape, and the same numbers within the tolerance?"""
        same = np.shape(a) == np.shape(b)
        return same and np.allclose(a, b, rtol=0, atol=self.tolerance)


class Properties:
    """An array that must have a shape and some properties, judged one by one."""

    def __init__(self, shape):  # a function of what is given
        self.shape, self.properties = shape, ()

    def must(self, name, test, words):
        """Add a property: test(array, **given), and what it means if that is False."""
        self.properties += ((name, test, words),)
        return self

    def judge(self, yours, **given):
        """Words for a right answer; raises CourseError with a hint for another."""
        array, shape = as_numbers(yours), list(self.shape(**given))
        if list(array.shape) != shape:
            shapes = f"{list(array.shape)}; asked for is {shape}"
            raise CourseError(f"yours has the shape {shapes}.")
        said = f"shape {shape}: yes\n"
        for name, test, words in self.properties:
            if not test(array.astype(float), **given):
                raise CourseError(f"{said}{name}: no, {words}")
            said += f"{name}: yes\n"
        return said + "all of it holds ✓"


def as_numbers(value) -> np.ndarray:
    """An answer as a NumPy array of real, finite numbers.

    Takes numbers, tensors, arrays, texts such as "3,448,576" or "29 %", and lists and
    sets of these. Raises CourseError for anything else, in words for a student.
    """
    if isinstance(value, str):
        return np.array(_number_in(value[:99]))  # none is longer
    if callable(value):
        raise CourseError("This is a function: call it, and give what it returns.")
    if isinstance(value, set):
        value = sorted(value)
    if isinstance(value, (list, tuple)) and len(value) <= 1000:
        value = [as_numbers(part) for part in value]
        if len({part.shape for part in value}) > 1:
            raise CourseError("The parts of this list have different shapes.")
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        name = type(value).__name__
        raise CourseError(f"A number is asked for, or an array of them: no {name}.")
    if not np.isfinite(array).all():
        raise CourseError("nan or inf is in it: look for 0/0 and the log of 0.")
    return array


def _number_in(text):
    plain = text.strip().lower().replace("−", "-")
    found = re.fullmatch(rf"({NUMBER})\s*(%?)[\sa-z/]*", plain)
    if not found:
        raise CourseError(f"There is no number in the text {text[:40]!r}.")
    digits, percent = found.groups()
    if not re.search(r",(?!\d{3}(?!\d))", digits):  # 3,448,576
        digits = digits.replace(",", "")
    return float(digits.replace(",", ".", 1)) / (100 if percent else 1)  # 0,29 is 0.29


def short(numbers) -> str:
    """A number to six digits, a short row of them, or an array's shape."""
    if np.size(numbers) > 8:
        return f"array {list(np.shape(numbers))}"
    texts = [
        f"{n:,.0f}" if n % 1 == 0 and abs(n) < 1e15 else f"{n:,.6g}"
        for n in np.ravel(numbers).tolist()
    ]
    return f"({', '.join(texts)})" if np.ndim(numbers) else texts[0]
