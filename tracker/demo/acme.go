package demo

import (
	"time"

	"github.com/colaflow/colaflow/tenancy"
	"github.com/colaflow/colaflow/tracker/dataset"
)

// acme sells tea and pots on the web.
func acme(now time.Time) Tenant {
	people := []dataset.Person{
		person("acme", "mira", "Mira Holm", tenancy.RoleOwner),
		person("acme", "tomo", "Tomo Arai", tenancy.RoleAdmin),
		person("acme", "lena", "Lena Fischer", tenancy.RoleMember),
		person("acme", "kofi", "Kofi Mensah", tenancy.RoleMember),
		person("acme", "ines", "Inês Rocha", tenancy.RoleMember),
		person("acme", "pavel", "Pavel Novák", tenancy.RoleMember),
		person("acme", "aisha", "Aisha Khan", tenancy.RoleMember),
		person("acme", "greta", "Greta Lund", tenancy.RoleViewer),
	}
	return newTenant(now, "acme", "Acme Tea & Pots", people, acmeWeb(), acmeApp(), acmeOps())
}

func acmeWeb() project {
	return project{key: "WEB", name: "Web shop", template: "scrum", seed: 410, arrivals: 6,
		description: "The shop at shop.acme.test: catalogue, search, cart, checkout and accounts.",
		team:        team{lead: "mira", makers: []string{"tomo", "lena", "kofi", "ines", "pavel"}, reporters: []string{"mira", "greta", "aisha", "lena", "tomo"}},
		areas: []area{
			{"A checkout that guests finish", "Half of the guests leave between cart and payment. We want 65 % of them to finish.", "checkout", []thing{
				{"address form", "The {thing} asks for eleven fields, of which the carrier needs seven."},
				{"coupon field", "The {thing} sits above the total and draws people away to look for codes."},
				{"order summary", "The {thing} repeats what is in the cart, with delivery and tax."},
				{"delivery date picker", "With the {thing} customers choose when the parcel comes."},
				{"guest sign-up box", "The {thing} offers an account after the order is placed."},
				{"gift wrap option", "The {thing} adds 3 € and a card to an order."}}},
			{"Search that finds teapots", "Four of ten searches end without a click. Plurals, typos and synonyms are to blame.", "search", []thing{
				{"suggestion list", "The {thing} opens under the search field while people type."},
				{"filter panel", "The {thing} narrows results by price, material and origin."},
				{"sort menu", "The {thing} orders results by relevance, price or rating."},
				{"empty result page", "People see the {thing} when nothing matches, 9,000 times a week."},
				{"synonym editor", "Merchandisers maintain pairs such as pot and kettle in the {thing}."},
				{"recent searches row", "The {thing} shows the last five searches of a visitor."}}},
			{"Accounts that people come back to", "Returning customers order twice as often. Signing in must be worth it.", "accounts", []thing{
				{"order history", "The {thing} lists past orders with their invoices."},
				{"sign-in dialog", "The {thing} opens over any page."},
				{"address book", "Customers keep up to ten addresses in the {thing}."},
				{"newsletter switch", "The {thing} in the profile opts in and out of mails."},
				{"wish list", "The {thing} holds what people want to buy later."},
				{"reorder button", "The {thing} puts a past order into the cart again."}}},
			{"Payments without surprises", "Failed payments cost 2 % of revenue. Customers must see what happens and why.", "payments", []thing{
				{"card form", "The {thing} comes from the payment provider in a frame."},
				{"invoice option", "The {thing} is for customers with five orders or more."},
				{"payment retry page", "Customers land on the {thing} when the bank says no."},
				{"refund form", "Support sends money back with the {thing}."},
				{"gift card balance", "The {thing} is shown next to the total."},
				{"currency switch", "The {thing} offers euro, pound and krona."}}},
			{"Returns in three clicks", "A return takes support eleven minutes. Customers should start it themselves.", "returns", []thing{
				{"return wizard", "The {thing} asks what comes back, and why."},
				{"return label", "The {thing} is a PDF with a bar code."},
				{"return status line", "The {thing} tells customers where their return is."},
				{"exchange offer", "The {thing} suggests another size before money is sent back."},
				{"reason list", "The {thing} feeds the quality report."},
				{"drop-off map", "The {thing} shows parcel shops nearby."}}},
			{"Product pages that sell", "Visitors read product pages for 40 seconds on average. They should find what decides.", "catalogue", []thing{
				{"photo gallery", "The {thing} shows up to twelve pictures of a product."},
				{"review section", "The {thing} holds ratings and texts of customers."},
				{"stock indicator", "The {thing} says how many pieces are left."},
				{"size guide", "The {thing} explains volumes in cups."},
				{"related products strip", "The {thing} proposes four other products."},
				{"origin story", "The {thing} tells where a tea was grown."}}},
			{"Ready for the spring sale", "Last year the shop was slow for two hours. This year it must not be.", "sale", []thing{
				{"countdown banner", "The {thing} tells when the sale begins and ends."},
				{"bundle offer", "The {thing} sells a pot with two teas at a lower price."},
				{"waiting room", "The {thing} lets visitors in one after the other when there are too many."},
				{"price badge", "The {thing} shows old and new price."},
				{"sale landing page", "The {thing} is where the mails lead to."},
				{"early access code", "The {thing} opens the sale a day early for members."}}},
		},
		patterns: webPatterns(),
		goals: []string{"Guests reach the payment page", "Fewer fields, fewer questions", "Search understands plurals", "Filters that people use", "One sign-in for all",
			"Orders can be repeated", "Failed payments explain themselves", "Invoice for regulars", "Customers start returns", "Returns need no mail",
			"Pictures load first", "Reviews that help", "Shop holds ten times the load", "Sale pages are ready", "Early access works"},
		remarks: []string{"Funnel says 11 % leave at the {thing}.", "@greta has the numbers of the last campaign.", "Works in Chrome and Firefox, not yet in Safari.",
			"The copy comes from marketing, ask @aisha.", "Behind the flag `new-shop` until Monday."},
	}
}

func webPatterns() []pattern {
	return []pattern{
		{"Story", "Keep what was entered in the {thing} between visits", "Visitors who come back within a day should not begin again.", []string{"Input survives a reload and a day", "Signing out removes it", "Nothing personal is stored for guests"}},
		{"Story", "Make the {thing} usable with the keyboard alone", "About one in fifty customers does not use a mouse.", []string{"Every control is reachable in order", "The focus is visible", "Escape closes what opened"}},
		{"Story", "Redesign the {thing} for small screens", "Seven of ten visitors come with a phone.", []string{"Nothing scrolls sideways at 320 pixels", "Targets are at least 44 pixels high"}},
		{"Story", "Explain errors in the {thing} in plain words", "Today people read error numbers.", []string{"Every known error has a sentence and a way out", "Unknown ones show a request id"}},
		{"Story", "Let support see a customer's {thing}", "Support asks for screenshots, which takes a day.", []string{"Only with the customer's consent", "Every look is in the audit log"}},
		{"Story", "Try a shorter {thing} with half of the visitors", "We believe that less is more here, and want to know.", []string{"The split is stable per visitor", "The result is in the dashboard after two weeks"}},
		{"Story", "Offer the {thing} in German and French", "A third of the visitors read English as a second language.", []string{"All texts come from the catalogue", "Dates and prices follow the language"}},
		{"Story", "Open the {thing} straight from e-mails", "Links in mails lead to the start page today.", []string{"The link works signed in and signed out", "It expires after a week"}},
		{"Bug", "{Thing} flickers on Safari", "It is drawn twice: once empty, once filled.", []string{"Open the shop on an iPhone", "Scroll to the {thing}", "It blinks once or twice"}},
		{"Bug", "{Thing} keeps old data after sign-out", "The next person at the same computer sees it.", []string{"Sign in and fill in something", "Sign out", "It is still there"}},
		{"Bug", "{Thing} is cut off on narrow phones", "The last line cannot be read.", []string{"Use a phone of 320 pixels", "Turn on large text", "The bottom is missing"}},
		{"Bug", "A double click in the {thing} sends the request twice", "Some customers got two confirmations.", []string{"Slow the network down", "Click twice quickly", "Two requests leave"}},
		{"Bug", "{Thing} stays empty when the network is slow", "The answer comes after the page has given up.", []string{"Limit the network to 3G", "Wait ten seconds", "Nothing appears, no message either"}},
		{"Bug", "Screen readers skip the {thing}", "It has no role and no name.", []string{"Turn on VoiceOver", "Move through the page", "The {thing} is not announced"}},
		{"Bug", "The back button loses the state of the {thing}", "People begin again, or leave.", []string{"Change something", "Follow any link", "Go back: the change is gone"}},
		{"Task", "Write end-to-end tests for the {thing}", "Two regressions in a quarter came from here.", []string{"The main path", "The two errors seen most", "Runs in under a minute"}},
		{"Task", "Move the {thing} to the new design tokens", "Colours are hard-coded in nine places.", []string{"Use tokens only", "Compare screenshots before and after"}},
		{"Task", "Measure how often the {thing} is used", "We argue about it without numbers.", []string{"Events without personal data", "A chart in the weekly dashboard"}},
		{"Task", "Split the {thing} out of the start bundle", "It costs every visitor 30 kB, used or not.", []string{"Load it on demand", "Note the sizes in the pull request"}},
		{"Task", "Remove the old code behind the {thing}", "The flag has been on for everybody since autumn.", []string{"Delete the flag and its branches", "Delete what nobody calls any more"}},
	}
}
