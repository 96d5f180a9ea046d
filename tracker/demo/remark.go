package demo

// Comments that are heard in every project, by the moment at which they fall.
var (
	newRemarks = []string{
		"Do we know how many people this concerns?",
		"I would keep the first version small: only the {thing} itself, nothing around it.",
		"We talked about this on Tuesday. The numbers speak for it, so it goes to the top.",
		"Related to what support hears every Monday, see the notes of last week.",
		"Who decides about the wording?",
		"+1, three more people asked for it today.",
	}
	beginRemarks = []string{
		"I take this one.",
		"Starting with a test that shows the problem.",
		"First look: the code around the {thing} is older than I thought. It may take a day longer.",
		"Agreed with design this morning, the sketch is in the shared folder.",
		"Split the work in two: the {thing} first, clean-up after that.",
	}
	offerRemarks = []string{
		"Ready for review.\n\nWhat changed:\n- the {thing} has tests of its own now\n- the old path is gone\n- no new dependency",
		"`make test` is green, and I measured it: 40 % fewer requests.",
		"On staging now. The {thing} can be tried with the usual test data.",
	}
	reviewRemarks = []string{
		"Looks good. Two small remarks on names, nothing that blocks.",
		"Please have a look at the error handling once more, the rest is fine.",
		"Tried it on staging, works as described.",
		"One question about the {thing}, otherwise fine: what happens on the second try?",
	}
	againRemarks = []string{
		"Back to work: it fails when the {thing} is empty.",
		"The happy path works, but a second try gives an error. Logs attached to the build.",
		"Review found a race, fixing it.",
	}
	doneRemarks = []string{
		"Released, and no alarms since.",
		"Live for everybody.",
		"Done. I left a note in the changelog.",
		"Verified with the customer who reported it.",
	}
	carryRemarks = []string{
		"Not finished in this sprint: the review takes longer than planned. It goes on in the next one.",
		"We started this too late. Moved, with the same goal.",
	}
	cancelRemarks = []string{
		"Nobody has missed this in two months. Closing it.",
		"Solved by the new {thing}, no need to do it by itself.",
		"We decided against it: the effort does not pay off.",
	}
)
