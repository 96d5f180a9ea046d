package demo

func globexDock() project {
	return project{key: "DOCK", name: "Warehouse docks", template: "kanban", seed: 25, arrivals: 4,
		description: "Gates, ramps and forklifts of the four warehouses.",
		team:        team{lead: "samir", makers: []string{"noor", "dmitri", "bea"}, reporters: []string{"samir", "ruth", "noor"}},
		areas: []area{
			{"Gates without queues", "On Mondays the queue reaches the road.", "gates", []thing{
				{"gate kiosk", "Drivers register at the {thing}."},
				{"plate camera", "The {thing} opens the barrier for known trucks."},
				{"slot booking", "With the {thing} carriers reserve half an hour at a ramp."},
				{"yard map", "The {thing} says where trailers stand."},
				{"visitor badge", "Every driver wears a {thing}."},
				{"weighbridge", "The {thing} weighs trucks on the way in and out."}}},
			{"Pallets that are never lost", "We look for 30 pallets a week.", "pallets", []thing{
				{"pallet scanner", "The {thing} reads labels from two metres."},
				{"rack label", "Every place has a {thing}."},
				{"stock count", "The {thing} happens on the first Sunday of a quarter."},
				{"damage photo", "A {thing} is taken before a claim."},
				{"shrink wrapper", "The {thing} wraps 60 pallets an hour."},
				{"returns cage", "Empty boxes wait in the {thing}."}}},
			{"Forklifts where they are needed", "Drivers cross the hall empty half of the time.", "forklifts", []thing{
				{"forklift queue", "The {thing} gives the next order to the nearest driver."},
				{"battery plan", "The {thing} says who charges when."},
				{"aisle traffic light", "The {thing} keeps two machines apart."},
				{"ramp display", "The {thing} hangs over every ramp."},
				{"order terminal", "A {thing} is mounted on each machine."},
				{"speed limiter", "The {thing} knows where people walk."}}},
		},
		patterns: []pattern{
			{"Story", "Run the {thing} with gloves on", "It is minus 22 degrees in hall three.", []string{"Buttons of two centimetres", "No swiping"}},
			{"Story", "Keep the {thing} going when the line is down", "The excavator found the cable again.", []string{"Four hours without a network", "Catches up in order"}},
			{"Story", "Report the figures of the {thing} every shift", "The shift leaders count by hand.", []string{"At 6, 14 and 22 o'clock", "One page"}},
			{"Story", "Announce problems of the {thing} over the speakers", "Nobody looks at screens while driving.", []string{"Short sentences", "Not more than once a minute"}},
			{"Story", "Show who used the {thing} last", "Keys and gloves disappear with their finders.", []string{"Name and time", "Gone after a week"}},
			{"Bug", "{Thing} does not read Turkish letters", "Names come out as question marks.", []string{"Register Işık Nakliyat", "Look at the display"}},
			{"Bug", "{Thing} hangs after midnight", "It waits for a job that runs at 00:10.", []string{"Let it run over night", "Try at 00:15"}},
			{"Bug", "{Thing} counts the same pallet twice", "When the forklift goes back and forth.", []string{"Pass the reader", "Go back", "Pass again"}},
			{"Bug", "{Thing} blinds the camera at sunset", "Only at the western gates.", []string{"Be there at six in March", "Recognition falls to 40 %"}},
			{"Task", "Clean up the cables around the {thing}", "Two people stumbled this month.", []string{"Photograph before", "Ducts instead of tape"}},
			{"Task", "Order spare parts for the {thing}", "Delivery takes nine weeks.", []string{"List what breaks", "Two of each"}},
			{"Task", "Train the late shift on the {thing}", "They were not there when it was introduced.", []string{"One hour each", "In Polish and German"}},
			{"Task", "Have the {thing} inspected", "The insurer wants a paper every year.", []string{"Call the inspector", "File the report"}},
		},
		remarks: []string{"Hall three first, it hurts most there.", "The supplier comes on Friday.", "Safety has to sign this.", "Two weeks without a complaint now."},
	}
}
