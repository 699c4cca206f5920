// polkit's agent of the terminal, which asks for the password when no desktop does: alive as long as this
// object, and only where there is a terminal and the program pkttyagent. Called by client.cc.
#pragma once

namespace croft::bus {

class Agent {
  public:
    Agent();
    ~Agent();
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

  private:
    int pid_ = -1;
};

}  // namespace croft::bus
