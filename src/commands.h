#ifndef COMMANDS_H
#define COMMANDS_H
int cmd_analyze(int argc, char **argv);
int cmd_report(int argc, char **argv);
#endif
