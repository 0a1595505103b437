#!/usr/bin/env python3
"""What counts.py complains about, and what not."""

import sys
import unittest

sys.dont_write_bytecode = True  # no folder beside the sources
import counts  # noqa: E402


class Complaints(unittest.TestCase):
    def about(self, kept, counted):
        return counts.complaints("gcc-release", "gcc 12, x86-64", kept, counted)

    def test_none_within_three_percent(self):
        self.assertEqual(self.about({"switch": 100}, {"switch": 103}), [])
        self.assertEqual(self.about({"switch": 100}, {"switch": 97}), [])

    def test_growth_says_from_what_to_what_and_how_to_take_it(self):
        (complaint,) = self.about({"switch": 100, "yield": 200}, {"switch": 103.1, "yield": 200})
        self.assertIn("switch grew from 100 to 103.1 instructions, by 3.1 %", complaint)
        self.assertIn("callgrind_annotate build/counts/gcc-release/switch-01", complaint)
        self.assertIn("runtime/bench/counts.py take", complaint)

    def test_a_gain_is_to_be_kept(self):
        (complaint,) = self.about({"steal one": 100}, {"steal one": 50})
        self.assertIn("steal one takes 50 instructions, 50.0 % less than the 100", complaint)
        self.assertIn("runtime/bench/counts.py take", complaint)

    def test_a_compiler_without_counts_does_not_pass(self):
        (complaint,) = self.about(None, {"switch": 100})
        self.assertIn("keeps no counts for gcc 12, x86-64", complaint)

    def test_rows_that_only_one_side_has(self):
        found = self.about({"old": 100}, {"new": 100})
        self.assertEqual(len(found), 2)
        self.assertIn("a row that goro_counts has not: old", found[0])
        self.assertIn("has no row: new", found[1])


if __name__ == "__main__":
    unittest.main()
