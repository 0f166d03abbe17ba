# The target furrow_docs: the public headers and the pages of docs/ as a site in build/PRESET/docs/html. A public name without a
# docstring is an error.

find_package(Doxygen QUIET)
if(NOT DOXYGEN_FOUND)
  return()
endif()

set(DOXYGEN_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/docs)
set(DOXYGEN_USE_MDFILE_AS_MAINPAGE ${PROJECT_SOURCE_DIR}/README.md)
set(DOXYGEN_STRIP_FROM_PATH ${PROJECT_SOURCE_DIR})
set(DOXYGEN_FULL_PATH_NAMES NO)
set(DOXYGEN_EXTRACT_ALL NO)
set(DOXYGEN_HIDE_UNDOC_CLASSES YES)
set(DOXYGEN_HIDE_FRIEND_COMPOUNDS YES)
set(DOXYGEN_MACRO_EXPANSION YES)
set(DOXYGEN_HAVE_DOT NO)
set(DOXYGEN_GENERATE_TREEVIEW YES)
set(DOXYGEN_DISABLE_INDEX YES)
set(DOXYGEN_HTML_EXTRA_FILES "")
set(DOXYGEN_WARN_AS_ERROR FAIL_ON_WARNINGS)
set(DOXYGEN_QUIET YES)
# What stands in public headers, but is the library's own: namespaces within furrow but `sim` and `tracing`, and these classes.
set(DOXYGEN_EXCLUDE_SYMBOLS
  furrow::ChunkBody furrow::CopyWriter furrow::HeldChunkBody furrow::Job furrow::NodeBody furrow::PerType furrow::StreamWriter
  furrow::TypeList furrow::TypeTag furrow::tracing::Details furrow::tracing::Span
  furrow::access furrow::background furrow::blocking furrow::check furrow::differences furrow::eigen furrow::flow furrow::fused furrow::loops
  furrow::named furrow::random furrow::reductions furrow::scans furrow::selection furrow::sorting
  furrow::sim::pricing furrow::sim::d2q9 furrow::sim::ising)

get_property(headers GLOBAL PROPERTY furrow_public_headers)
file(GLOB pages ${PROJECT_SOURCE_DIR}/docs/*.md)
doxygen_add_docs(furrow_docs ${headers} ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CONTRIBUTING.md
  ${PROJECT_SOURCE_DIR}/CHANGELOG.md ${pages} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} COMMENT "Documentation")
