package report

// Simulate is what a test compares with a simulation of its own.
var Simulate = simulate
