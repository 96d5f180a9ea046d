package mcpserver

import "github.com/colaflow/colaflow/tenancy"

// Prompts lists every prompt of the product in the order of the documentation.
func Prompts() []Prompt {
	key := PromptArgument{"key", "Issue key, such as WEB-12", true}
	project := PromptArgument{"project", "Project key", true}
	return append([]Prompt{
		{Name: "triage_issue", Title: "Triage an issue", Description: "Judge a new issue: is it a duplicate, what is missing, how urgent, whose.",
			Permission: tenancy.IssuesRead, Arguments: []PromptArgument{key}, data: triageData,
			Task: "Triage the issue in the data that follows. Say whether it is a duplicate of one of the similar issues, what is missing before work can start, and which type, priority, " +
				"labels and assignee of the project fit. Then propose one update_issue call, and link_issues if it is a duplicate; make them only if you were asked to act."},
		{Name: "plan_sprint", Title: "Plan a sprint", Description: "Choose work for the next sprint by what past sprints finished.",
			Permission: tenancy.IssuesSearch, Arguments: []PromptArgument{project}, data: planData,
			Task: "Plan the next sprint of the project in the data that follows. Commit what past sprints usually completed, not more, unless you say why. Prefer urgent, due and unblocked work, and " +
				"what the current sprint will leave; name what lacks an estimate and who has too much. Give the list with keys and points, the sum, the goal in one sentence, and the risks."},
		{Name: "sprint_review", Title: "Review a sprint", Description: "What a sprint promised, what came of it, and why.",
			Permission: tenancy.ReportsRead, Arguments: []PromptArgument{project, {"sprint", "Name, current or last", false}}, data: reviewData,
			Task: "Write the review of the sprint in the data that follows: what was committed and completed, what slipped and for which of the counted reasons, how that compares with the sprints " +
				"before, and two or three changes for the next one. Use only these numbers."},
		{Name: "standup", Title: "Stand-up", Description: "What moved, what is under way, what is stuck.",
			Permission: tenancy.IssuesRead, Arguments: []PromptArgument{project, {"since", "Date or RFC 3339; without it a working day back", false}}, data: standupData,
			Task: "Write the stand-up of the project in the data that follows, person by person: done since then, under way, blocked or overdue. Then say what needs a decision today. " +
				"Name issues by key, and keep it under 200 words."},
		{Name: "break_down_epic", Title: "Break down an epic", Description: "Split a large issue into small ones.",
			Permission: tenancy.IssuesRead, Arguments: []PromptArgument{key}, data: epicData,
			Task: "Break the issue in the data that follows down into issues of a few days at most that can be finished one by one, without repeating the children it has. Give each a title, a type of " +
				"the project, points if the project uses them, and say what blocks what. Then propose one batch_create_issues call with the issue as parent; make it only if you were asked to act."},
		{Name: "write_bug_report", Title: "Write a bug report", Description: "Turn an observation into a report that somebody can work on.",
			Permission: tenancy.ProjectsRead, Arguments: []PromptArgument{project}, data: bugData,
			Task: "Help a person to write a bug report for the project in the data that follows. Ask for what is missing: what was done, what was expected, what was seen, where, how often. Look for it " +
				"among the open bugs first. Then propose one create_issue call in their style; make it only once the person agreed."},
	}, fixturePrompts()...)
}
