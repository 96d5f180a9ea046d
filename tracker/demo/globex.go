package demo

import (
	"time"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// globex moves freight across borders.
func globex(now time.Time) Tenant {
	people := []dataset.Person{
		person("globex", "olga", "Olga Brandt", tenancy.RoleOwner),
		person("globex", "samir", "Samir Haddad", tenancy.RoleAdmin),
		person("globex", "yuki", "Yuki Tanabe", tenancy.RoleMember),
		person("globex", "carl", "Carl Oyelaran", tenancy.RoleMember),
		person("globex", "bea", "Beatriz Solano", tenancy.RoleMember),
		person("globex", "noor", "Noor Visser", tenancy.RoleMember),
		person("globex", "dmitri", "Dmitri Weiss", tenancy.RoleMember),
		person("globex", "ruth", "Ruth Abara", tenancy.RoleViewer),
	}
	return newTenant(now, "globex", "Globex Freight", people, globexFleet(), globexDock())
}

func globexFleet() project {
	return project{key: "FLEET", name: "Fleet dispatch", template: "scrum", seed: 109, arrivals: 6.5,
		description: "Dispatching of 340 trucks: tours, drivers, customs and tolls.",
		team:        team{lead: "olga", makers: []string{"yuki", "carl", "bea", "noor", "dmitri"}, reporters: []string{"olga", "ruth", "samir", "carl"}},
		areas: []area{
			{"Tours that plan themselves", "Dispatchers plan 80 tours by hand before six in the morning.", "tours", []thing{
				{"route planner", "The {thing} orders up to 40 stops."},
				{"stop list", "Drivers see the {thing} in the cab."},
				{"load plan", "The {thing} says which pallet goes where in the trailer."},
				{"time window rule", "The {thing} keeps deliveries within the hours of a ramp."},
				{"tour template", "A {thing} repeats every week."}}},
			{"Drivers within the law", "One fine for driving time costs more than a day's tour.", "drivers", []thing{
				{"driver roster", "The {thing} covers four weeks."},
				{"rest period check", "The {thing} counts eleven hours from the tachograph."},
				{"licence register", "The {thing} knows when papers expire."},
				{"holiday calendar", "The {thing} differs by country and canton."},
				{"driver hand-over", "With the {thing} two drivers change a truck halfway."}}},
			{"Borders without waiting", "Trucks wait 70 minutes on average at the eastern crossings.", "customs", []thing{
				{"customs declaration", "The {thing} goes out two hours before the border."},
				{"transit document", "The {thing} has to be closed within eight days."},
				{"seal number", "Each trailer carries a {thing}."},
				{"goods code lookup", "The {thing} proposes one of 9,000 codes."},
				{"broker inbox", "Brokers answer in the {thing}."}}},
			{"Tolls that add up", "We pay tolls in nine systems and check none of the invoices.", "tolls", []thing{
				{"toll calculation", "The {thing} estimates before a tour is sold."},
				{"on-board unit", "Each {thing} reports its position at every gantry."},
				{"toll invoice match", "The {thing} compares invoices with positions."},
				{"emission class table", "The {thing} decides about the price per kilometre."}}},
			{"Cold stays cold", "Two loads of vaccine were refused this year.", "cold-chain", []thing{
				{"temperature log", "The {thing} has a value every minute."},
				{"door sensor", "The {thing} tells when a trailer is opened."},
				{"alarm chain", "The {thing} calls three people in turn."},
				{"proof of cooling", "Customers get the {thing} with the delivery note."}}},
			{"One screen for the night shift", "At night two people watch what twelve watch by day.", "control-room", []thing{
				{"wall map", "The {thing} shows every truck that moves."},
				{"delay list", "The {thing} names tours that will be late."},
				{"shift log", "The {thing} is what one shift tells the next."},
				{"incident form", "The {thing} is filled in after accidents and thefts."}}},
		},
		patterns: []pattern{
			{"Story", "Let dispatchers undo a change in the {thing}", "A wrong click costs ten minutes at five in the morning.", []string{"Undo within five minutes", "Others see who undid what"}},
			{"Story", "Recalculate the {thing} when a truck is late", "Today somebody has to notice first.", []string{"Within a minute of the position", "The dispatcher confirms"}},
			{"Story", "Import the {thing} from the carriers' spreadsheets", "Eleven carriers send one every evening.", []string{"Bad rows are named", "The same file twice changes nothing"}},
			{"Story", "Show the {thing} on the phone of a driver", "Drivers get it by radio.", []string{"Works in six languages", "Readable in sunlight"}},
			{"Story", "Compare the {thing} with last month", "Planning is guesswork without it.", []string{"Same weekday against same weekday", "Export for the controllers"}},
			{"Story", "Lock the {thing} once a tour has left", "Changes after departure confuse the yard.", []string{"Only the shift leader may unlock", "The reason is kept"}},
			{"Story", "Hand the {thing} over to partners by interface", "Partners type it again today.", []string{"Signed requests", "Limits per partner"}},
			{"Bug", "{Thing} ignores the change to summer time", "Everything was an hour off on Sunday night.", []string{"Set the clock to the last Sunday of March", "Plan over 02:00", "One hour is missing"}},
			{"Bug", "{Thing} loses the last row on import", "Files from one carrier have no final line break.", []string{"Take a file without one", "Import it", "Count the rows"}},
			{"Bug", "{Thing} mixes up miles and kilometres", "Only for tours that start in Dover.", []string{"Plan Dover to Lille", "See the total"}},
			{"Bug", "Two dispatchers overwrite each other's {thing}", "The second one to save wins, and nobody is told.", []string{"Open it twice", "Save here, save there", "The first change is gone"}},
			{"Bug", "{Thing} needs half a minute with 200 trucks", "With 50 it took two seconds.", []string{"Load the data of a Monday", "Open it", "Wait"}},
			{"Bug", "{Thing} accepts a plate that does not exist", "A typo sent a tour to nobody.", []string{"Enter XX-000", "Save", "No objection"}},
			{"Task", "Keep the history of the {thing} for ten years", "The tax office asks for it.", []string{"Store changes, not copies", "Check access rights"}},
			{"Task", "Simulate a week of the {thing} before each release", "Every second release broke planning.", []string{"Take last week's data", "Compare cost and delay", "Fail above 2 %"}},
			{"Task", "Retire the spreadsheet behind the {thing}", "It is 14 years old, and its author has left.", []string{"List who still opens it", "Move its three formulas", "Make it read-only"}},
			{"Task", "Agree with the works council on the {thing}", "It shows what single drivers do.", []string{"Describe the data", "Delete after 90 days", "Signatures"}},
		},
		goals: []string{"Ten tours plan themselves", "Templates for the weekly runs", "No rest period is missed", "Roster for four weeks", "Papers before the border",
			"Codes proposed, not typed", "Transit closed in time", "Toll estimate within 3 %", "First invoice is checked", "Every trailer reports its cold",
			"Alarms reach somebody", "Night shift sees delays", "One map for all", "Incidents in one form", "Hand-over without paper"},
		remarks: []string{"Depot Lyon tries it from Thursday on.", "The trucks of 2019 have the old unit, careful.", "Talked to the night shift: they want it bigger.",
			"@ruth needs it for the quarterly review.", "Brenner was closed on Monday, so ignore that day."},
	}
}
