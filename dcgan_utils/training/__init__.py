"""The engine under the loop of lesson 03: it saves, stops, resumes, shares the work."""
