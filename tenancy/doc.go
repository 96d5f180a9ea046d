// Package tenancy is the vocabulary of the house: tenants, members, roles,
// permissions, grants, the principal of a call, and the one error type.
// It also derives keys and seals what leaves the process in a client's hands.
// It performs no I/O and imports no other room.
package tenancy
