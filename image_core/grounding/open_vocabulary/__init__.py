"""What the learned grounders share: phrases, word scores, relations, and the seam itself.

A detector says where a phrase's words are seen; everything that an instruction says beyond them
(which of several, how it lies to something else) is settled here, on its candidates.
"""

from __future__ import annotations

from image_core.grounding.open_vocabulary.candidates import Candidates
from image_core.grounding.open_vocabulary.grounder import Detector, OpenVocabularyGrounder
from image_core.grounding.open_vocabulary.phrases import Phrase, Query, query_of

__all__ = ["Candidates", "Detector", "OpenVocabularyGrounder", "Phrase", "Query", "query_of"]
