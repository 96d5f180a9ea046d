package tenancy

import (
	"slices"
	"strings"
)

// presets are the named sets of permissions that people pick from when they make a token.
var presets = map[string]PermissionSet{
	"reader": RoleViewer.Permissions(),
	"triage": RoleViewer.Permissions() | setOf(IssuesUpdate, CommentsCreate),
	"planner": RoleViewer.Permissions() | setOf(IssuesUpdate, CommentsCreate, IssuesCreate,
		SprintsWrite),
	"ci-reporter": setOf(ProjectsRead, IssuesRead, IssuesSearch, IssuesCreate, IssuesUpdate, CommentsCreate),
	"full":        AllPermissions,
}

// Everyday returns what an agent is offered that asked for nothing by name: the triage
// preset, and to file issues. It plans, deletes and administers nothing.
func Everyday() PermissionSet { return presets["triage"] | setOf(IssuesCreate) }

// PresetNames lists the presets from least to most power.
func PresetNames() []string { return []string{"reader", "ci-reporter", "triage", "planner", "full"} }

// Preset returns the permissions of a named preset.
func Preset(name string) (PermissionSet, error) {
	if s, ok := presets[name]; ok {
		return s, nil
	}
	return 0, Errorf(InvalidValue, "Preset %q is not known.", name).
		WithNext("Use one of " + strings.Join(PresetNames(), ", ") + ".")
}

// ParseAllow reads the command-line form of permissions: items such as
// issues:read,search or comments:* or a preset's name.
func ParseAllow(items []string) (PermissionSet, error) {
	var set PermissionSet
	for _, item := range items {
		resource, verbs, found := strings.Cut(item, ":")
		if !found {
			preset, err := Preset(item)
			if err != nil {
				return 0, err
			}
			set |= preset
			continue
		}
		if verbs == "*" && resourceSet(resource) != 0 {
			set |= resourceSet(resource)
			continue
		}
		for verb := range strings.SplitSeq(verbs, ",") {
			p, err := ParsePermission(resource + ":" + verb)
			if err != nil {
				return 0, err
			}
			set |= 1 << p
		}
	}
	return set, nil
}

// ProjectKeys normalizes project keys for Grants: upper case, sorted, unique.
func ProjectKeys(keys []string) []string {
	upper := make([]string, 0, len(keys))
	for _, k := range keys {
		if k = strings.ToUpper(strings.TrimSpace(k)); k != "" {
			upper = append(upper, k)
		}
	}
	slices.Sort(upper)
	return slices.Compact(upper)
}
