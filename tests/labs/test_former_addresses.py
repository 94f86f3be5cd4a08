"""What others wrote before the author's tools had a package of their own still runs."""

import lsedu.authoring
import lsedu.labs
from lsedu.authoring import release


def test_names_and_modules_are_found_where_they_were():
    from lsedu.labs.release import build

    assert build is release.build
    assert lsedu.labs.load_lab is lsedu.authoring.load_lab and lsedu.labs.LabError is lsedu.authoring.LabError
