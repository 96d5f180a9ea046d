package demo

func acmeApp() project {
	return project{key: "APP", name: "Mobile app", template: "kanban", seed: 34, arrivals: 4,
		description: "The shopping app for Android and iOS.",
		team:        team{lead: "aisha", makers: []string{"ines", "pavel", "kofi"}, reporters: []string{"aisha", "greta", "mira"}},
		areas: []area{
			{"App starts in a second", "Cold start takes 2.8 seconds on a mid-range phone.", "start", []thing{
				{"splash screen", "The {thing} covers what happens before the first picture."},
				{"home feed", "The {thing} is the first thing that people see."},
				{"image cache", "The {thing} keeps 200 MB of pictures on the phone."},
				{"session restore", "The {thing} signs people in again without asking."},
				{"onboarding tour", "The {thing} explains the app in four pages."},
				{"update prompt", "The {thing} asks people to install a newer version."}}},
			{"Scan, compare, buy", "People scan a tin at home to buy it again.", "scanner", []thing{
				{"bar code scanner", "The {thing} reads EAN-13 and QR codes."},
				{"photo search", "The {thing} finds pots that look alike."},
				{"price alert", "The {thing} sends a message when something gets cheaper."},
				{"compare sheet", "The {thing} puts two products side by side."},
				{"basket bar", "The {thing} stays at the bottom with the total."},
				{"store finder", "The {thing} shows the six shops in town."}}},
			{"Messages that are welcome", "A third of our users has turned messages off.", "messages", []thing{
				{"message settings screen", "On the {thing} people choose what they hear about."},
				{"delivery notice", "The {thing} comes when the parcel is an hour away."},
				{"in-app chat", "The {thing} connects to support from 9 to 5."},
				{"home screen widget", "The {thing} shows the next delivery."},
				{"order tracking map", "The {thing} follows the van."},
				{"loyalty card", "The {thing} collects a leaf for every tin."}}},
		},
		patterns: []pattern{
			{"Story", "Use the {thing} without a network", "Many people open the app on the underground.", []string{"Shows what was there last", "Says how old it is", "Catches up by itself"}},
			{"Story", "Support dark colours in the {thing}", "Half of the phones are set to dark.", []string{"Follows the system", "Contrast of at least 4.5"}},
			{"Story", "Rotate the {thing} on tablets", "Tablets are mostly held sideways.", []string{"Two columns from 700 points on", "Keeps its place when turned"}},
			{"Story", "Unlock the {thing} with face or finger", "Nobody likes to type a password on glass.", []string{"Falls back to the code", "Can be turned off"}},
			{"Story", "Let people share from the {thing}", "Friends send each other screenshots today.", []string{"Opens the system's own sheet", "The link opens the app if it is there"}},
			{"Story", "Add a short guide to the {thing}", "One in ten calls to support is about it.", []string{"Three sentences and a picture", "Can be dismissed for good"}},
			{"Bug", "{Thing} overlaps the camera on new phones", "The island at the top hides a button.", []string{"Use a phone with an island", "Hold it upright", "The button cannot be touched"}},
			{"Bug", "{Thing} crashes after the update to Android 15", "The crash reports begin with last Tuesday's release.", []string{"Install the old version", "Update", "Open it: the app closes"}},
			{"Bug", "{Thing} drains the battery in the background", "It wakes up every 30 seconds.", []string{"Use the app once", "Leave the phone for an hour", "See the battery page"}},
			{"Bug", "{Thing} shows the wrong language", "It takes that of the keyboard, not of the phone.", []string{"Set the phone to French", "Keep an English keyboard", "English texts appear"}},
			{"Bug", "{Thing} freezes when a call comes in", "Only on phones with two cards.", []string{"Open it", "Let somebody call", "Decline: no touch works"}},
			{"Task", "Replace the deprecated library in the {thing}", "It gets no security fixes after summer.", []string{"Find what we use of it", "Replace it", "Remove it from the build"}},
			{"Task", "Send crash traces of the {thing} with symbols", "We guess from addresses today.", []string{"Upload symbols in the build", "Check one trace of each system"}},
			{"Task", "Cover the {thing} with screenshot tests", "Designers find differences weeks later.", []string{"Light, dark, large text", "Both systems"}},
		},
		remarks: []string{"Crash rate went from 0.4 % to 0.1 % with build 512.", "Store review takes two days, so please no later than Wednesday.",
			"Happens on the old test phone too.", "TestFlight build is out, @greta can you try?"},
	}
}

func acmeOps() project {
	return project{key: "OPS", name: "Operations", template: "basic", seed: 309, arrivals: 2.2,
		description: "Servers, backups, certificates and everything that wakes people up.",
		team:        team{lead: "tomo", makers: []string{"kofi", "tomo"}, reporters: []string{"tomo", "kofi", "lena"}},
		areas: []area{
			{"Platform", "", "platform", []thing{
				{"search cluster", "The {thing} has three nodes."},
				{"order database", "The {thing} holds nine years of orders."},
				{"image resizer", "The {thing} makes six sizes of each picture."},
				{"mail relay", "The {thing} sends 40,000 mails a day."},
				{"edge cache", "The {thing} answers nine of ten requests."},
				{"staging environment", "The {thing} is a copy of production without people's data."}}},
			{"Delivery", "", "delivery", []thing{
				{"build farm", "The {thing} runs 300 builds a day."},
				{"nightly export", "The {thing} feeds accounting at 02:00."},
				{"payment proxy", "The {thing} stands between the shop and three providers."},
				{"log store", "The {thing} keeps thirty days."},
				{"status page", "The {thing} is what customers look at first."},
				{"office VPN", "Nobody can deploy without the {thing}."}}},
		},
		patterns: []pattern{
			{"Task", "Renew the certificate of the {thing}", "It ends in three weeks.", []string{"Order it", "Roll it out", "Put the next date into the calendar"}},
			{"Task", "Write a runbook for the {thing}", "Only one of us knows how to restart it.", []string{"What it needs", "How to see that it is well", "How to bring it back"}},
			{"Task", "Try to restore the {thing} from its backup", "A backup that nobody has restored is a hope.", []string{"Restore to another machine", "Compare the counts", "Note how long it took"}},
			{"Task", "Rotate the credentials of the {thing}", "They are older than a year.", []string{"Make new ones", "Switch over", "Revoke the old ones"}},
			{"Task", "Upgrade the {thing} to the current release", "Ours gets no fixes any more.", []string{"Read the notes", "Staging first", "Production on a Tuesday"}},
			{"Task", "Alarm when the {thing} is slow, not only when it is down", "Customers told us twice before the alarm did.", []string{"Pick a threshold from last month", "Route it to the person on call"}},
			{"Task", "Move the {thing} to the second data centre", "One power cut stopped it for three hours.", []string{"Copy the data", "Switch the address", "Switch back once, to be sure"}},
			{"Task", "Delete what nobody uses on the {thing}", "It costs money, and confuses at three in the morning.", []string{"List and ask", "Wait a week", "Delete"}},
			{"Bug", "{Thing} answers with errors during deployments", "For twenty seconds, each time.", []string{"Deploy", "Watch the error rate"}},
			{"Bug", "{Thing} ran out of disk space", "It recovered after we deleted old files by hand.", []string{"See the graph of last Friday", "Growth is 2 GB a day"}},
			{"Bug", "{Thing} restarts every night", "The restart takes four minutes.", []string{"Look at the uptime", "It follows the memory limit"}},
			{"Bug", "Monitoring of the {thing} reports false alarms", "People begin to ignore it.", []string{"Count last week's alarms", "Seven of nine were nothing"}},
		},
		remarks: []string{"Maintenance window is Tuesday 06:00 to 07:00.", "Postmortem is in the wiki, action items are linked here.", "Cost goes down by 120 € a month.",
			"@kofi is on call this week."},
	}
}
