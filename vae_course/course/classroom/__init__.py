"""For teachers: submissions read, run where they can do no harm, judged and reported; assignments made for nbgrader."""
