#pragma once

#include <string>
#include <vector>

#include "batch_record.h"
#include "private_tests.h"

namespace goro::grader {

// One value of a CSV table (RFC 4180). A spreadsheet takes what begins with =, +, -, @ or a control
// character for a formula, so that gets an apostrophe before it.
std::string csv_cell(const std::string& text);

// A line for each submission, in the plan's order; the points of each lab in a column, and beside
// it how many of them are for private tests, if the lab has any. Nothing in it depends on when or
// where it was graded.
std::string batch_table(const BatchPlan& plan, const std::vector<const Lab*>& labs,
                        const PrivateTests& private_tests, const std::vector<BatchRecord>& records);

// The reports for the submission's author, if they are not there as they should be. They tell no
// more of private tests than for_students().
void write_reports(const BatchFolder& folder, const BatchEntry& entry, const BatchRecord& record);

}  // namespace goro::grader
